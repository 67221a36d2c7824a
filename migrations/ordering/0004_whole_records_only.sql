-- The outbox takes only what a relay can read. One record that it could not would hold up its lane
-- for good, and one in a lane or at a position that nobody looks at would be lost.

-- Writers queue behind a lock that is waited for; what cannot be had now is tried again.
SET LOCAL lock_timeout = '200ms';

ALTER TABLE ordering.outbox
    ADD CONSTRAINT outbox_lane_is_read CHECK (lane BETWEEN 0 AND 15) NOT VALID,
    ADD CONSTRAINT outbox_position_is_read CHECK (position >= 1) NOT VALID,
    ADD CONSTRAINT outbox_version_is_one CHECK (order_version >= 1) NOT VALID,
    ADD CONSTRAINT outbox_headers_are_texts CHECK (
        jsonb_typeof(headers) = 'object'
        -- Strict: else an array would be taken for what is in it.
        AND NOT jsonb_path_exists(headers, 'strict $.* ? (@.type() <> "string")', silent => true)) NOT VALID,
    -- The years that RFC 3339 can tell.
    ADD CONSTRAINT outbox_occurred_in_time CHECK (
        occurred_at >= '0001-01-01T00:00:00Z' AND occurred_at < '10000-01-01T00:00:00Z') NOT VALID;

-- The partition of a day is made with the same constraints, else it could not be attached.
CREATE OR REPLACE FUNCTION ordering.create_outbox_day(day date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    name text := 'outbox_' || to_char(day, 'YYYYMMDD');
    opens timestamptz := day::timestamp AT TIME ZONE 'UTC';
    closes timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(format('ordering.%I', name)) IS NOT NULL
       OR EXISTS (SELECT FROM ordering.outbox_default
                  WHERE recorded_at >= opens AND recorded_at < closes) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE ordering.%I (LIKE ordering.outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                   name);
    EXECUTE format('ALTER TABLE ordering.outbox ATTACH PARTITION ordering.%I FOR VALUES FROM (%L) TO (%L)',
                   name, opens, closes);
    RETURN true;
END $$;
