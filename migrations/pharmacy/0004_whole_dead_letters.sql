-- A dead letter keeps all of its record: headers and timestamp as well. Absent in what was kept before.

-- Consumers queue behind a lock that is waited for; what cannot be had now is tried again.
SET LOCAL lock_timeout = '200ms';

ALTER TABLE pharmacy.dead_letters
    ADD COLUMN timestamp_ms bigint,
    ADD COLUMN headers      jsonb;

COMMENT ON COLUMN pharmacy.dead_letters.timestamp_ms IS 'The record''s timestamp in Kafka, in milliseconds since 1970. It need not be a moment that Postgres can tell.';
COMMENT ON COLUMN pharmacy.dead_letters.headers IS 'The record''s headers in their order: an array of {"name", "text"}, or {"name", "hex"} where the value is no text, or {"name"} where it has none.';
