-- Notifications are sent to customers and webhooks, under a lease. Programs of the version before cannot
-- record notifications from here on: they wait, and the new ones continue where they stopped.
SET LOCAL lock_timeout = '200ms';

ALTER TABLE notification.notifications
    ADD COLUMN destination text NOT NULL DEFAULT 'log',
    ADD COLUMN event_type  text,
    ADD COLUMN occurred_at timestamptz,
    ADD COLUMN reason      text,
    ADD COLUMN lease       uuid,
    -- It had the name of the customer. A text is now put together when it is sent.
    DROP COLUMN message,
    DROP CONSTRAINT notifications_event_id_channel_key,
    ADD UNIQUE (event_id, channel, destination),
    DROP CONSTRAINT notifications_state_check,
    ADD CONSTRAINT notifications_state_check
        CHECK (state IN ('pending', 'sent', 'failed', 'suppressed')) NOT VALID,
    ADD CONSTRAINT notifications_suppressed_check
        CHECK (state <> 'suppressed' OR last_error IS NOT NULL) NOT VALID;

COMMENT ON COLUMN notification.notifications.destination IS 'The receiver: `log`, the id of a customer, or the id of a webhook.';
COMMENT ON COLUMN notification.notifications.event_type IS 'Such as `order.created`. Null if an earlier version recorded the notification.';
COMMENT ON COLUMN notification.notifications.reason IS 'Why the order was rejected or cancelled.';
COMMENT ON COLUMN notification.notifications.due_at IS 'When it is sent; if it has a lease, when the lease runs out.';
COMMENT ON COLUMN notification.notifications.lease IS 'Token of the worker that is sending it.';

-- Claims for webhooks are made for each webhook. The other index must not have their rows: Postgres could
-- use it to look for those of one webhook.
DROP INDEX notification.notifications_due;
CREATE INDEX notifications_due ON notification.notifications (channel, due_at, id)
    WHERE state = 'pending' AND channel <> 'webhook';
CREATE INDEX notifications_due_calls ON notification.notifications (destination, due_at, id)
    WHERE state = 'pending' AND channel = 'webhook';
CREATE INDEX notifications_by_destination ON notification.notifications (destination, id)
    WHERE channel <> 'log';
CREATE INDEX notifications_not_sent ON notification.notifications (id)
    WHERE state IN ('failed', 'suppressed');

-- Contacts of customers. A row without an address is a customer who has orders but no contact, or who was erased.
CREATE TABLE notification.customers (
    customer_id text        PRIMARY KEY CHECK (length(customer_id) BETWEEN 1 AND 64),
    email       text,
    language    text        CHECK (language IN ('en', 'de', 'fr')),
    declined    text[]      NOT NULL DEFAULT '{}',
    version     bigint      NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    erased_at   timestamptz,
    CHECK ((email IS NULL) = (language IS NULL)),
    CHECK (erased_at IS NULL OR email IS NULL)
);
COMMENT ON COLUMN notification.customers.erased_at IS 'When everything about the customer was erased. A repeat of old events stores nothing again.';

-- The customers of orders, for the letters about later events.
CREATE TABLE notification.orders (
    order_id      uuid        PRIMARY KEY,
    customer_id   text        NOT NULL REFERENCES notification.customers,
    customer_name text        NOT NULL,
    ended_at      timestamptz
);
COMMENT ON COLUMN notification.orders.ended_at IS 'When the order was completed, rejected or cancelled.';
CREATE INDEX orders_by_customer ON notification.orders (customer_id);
CREATE INDEX orders_ended ON notification.orders (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE notification.webhooks (
    id               uuid          PRIMARY KEY,
    url              text          NOT NULL,
    description      text,
    event_types      text[]        NOT NULL,
    -- Sealed with the key of the service.
    secret           bytea         NOT NULL,
    -- Newest first, and how long each of them still signs.
    previous_secrets bytea[]       NOT NULL DEFAULT '{}',
    previous_until   timestamptz[] NOT NULL DEFAULT '{}',
    created_at       timestamptz   NOT NULL,
    failing_since    timestamptz,
    disabled_at      timestamptz,
    disabled_reason  text,
    version          bigint        NOT NULL DEFAULT 1,
    CHECK (cardinality(previous_secrets) = cardinality(previous_until)),
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);

-- Webhooks that were deleted, as long as they have notifications.
CREATE TABLE notification.deleted_webhooks (id uuid PRIMARY KEY);

-- Attempts to send, in partitions by day (UTC), so that old ones cost nothing to delete.
CREATE TABLE notification.attempts (
    notification_id bigint      NOT NULL,
    began_at        timestamptz NOT NULL,
    duration_ms     integer     NOT NULL CHECK (duration_ms >= 0),
    accepted        boolean     NOT NULL,
    answer          text        NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (recorded_at);
CREATE INDEX attempts_of_notification ON notification.attempts (notification_id, recorded_at);
CREATE TABLE notification.attempts_default PARTITION OF notification.attempts DEFAULT;

-- Creating and dropping partitions needs the owner of the tables. These functions lend that right, so that
-- the role of the running program needs rights on rows only.
CREATE FUNCTION notification.create_attempts_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = notification, pg_temp AS $$
DECLARE
    name text := 'attempts_' || to_char(day, 'YYYYMMDD');
    opens timestamptz := day::timestamp AT TIME ZONE 'UTC';
    closes timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(quote_ident(name)) IS NOT NULL
       OR EXISTS (SELECT FROM attempts_default WHERE recorded_at >= opens AND recorded_at < closes) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF attempts FOR VALUES FROM (%L) TO (%L)', name, opens, closes);
    RETURN true;
END $$;
COMMENT ON FUNCTION notification.create_attempts_day IS 'Makes the partition of one day (UTC). False if there was nothing to do.';

CREATE FUNCTION notification.drop_attempts_before(day date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = notification, pg_temp AS $$
DECLARE
    name text;
    dropped bigint := 0;
BEGIN
    FOR name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'attempts'::regclass AND relname ~ '^attempts_[0-9]{8}$'
          AND to_date(substr(relname, 10), 'YYYYMMDD') < day
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM attempts_default WHERE recorded_at < day::timestamp AT TIME ZONE 'UTC';
    RETURN dropped;
END $$;
COMMENT ON FUNCTION notification.drop_attempts_before IS 'Drops the partitions of earlier days. Returns how many.';

REVOKE EXECUTE ON FUNCTION notification.create_attempts_day(date), notification.drop_attempts_before(date) FROM PUBLIC;

SELECT notification.create_attempts_day((now() AT TIME ZONE 'UTC')::date + ahead) FROM generate_series(0, 3) AS ahead;
