-- When an event that Kafka refused was retried. Until now a retry left no trace.
SET LOCAL lock_timeout = '200ms';

-- A table of its own: a relay of the version before takes every row of outbox_dead_letters for an event
-- that must not be published.
CREATE TABLE outbox_retried_dead_letters (
    event_id      uuid        PRIMARY KEY,
    order_id      uuid        NOT NULL,
    order_version bigint      NOT NULL,
    event_type    text        NOT NULL,
    reason        text        NOT NULL,
    died_at       timestamptz NOT NULL,
    retried_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE outbox_retried_dead_letters IS 'Dead letters of the outbox that an operator retried. An event that Kafka refused again afterwards is in outbox_dead_letters as well.';
COMMENT ON COLUMN outbox_retried_dead_letters.retried_at IS 'When it was last retried.';
