-- The outbox: a log with 16 lanes that is only ever appended to. What was published is told by a
-- cursor per lane and a short list of exceptions, so no row is updated and none is deleted one by
-- one. The protocol is described, with its proof, in adapters/src/postgres/ordering/outbox.rs.

CREATE TABLE ordering.outbox (
    lane               smallint    NOT NULL,
    position           bigint      NOT NULL,
    event_id           uuid        NOT NULL,
    order_id           uuid        NOT NULL,
    order_version      bigint      NOT NULL,
    event_type         text        NOT NULL,
    schema_fingerprint bytea       NOT NULL,
    payload            bytea       NOT NULL,
    headers            jsonb       NOT NULL,
    occurred_at        timestamptz NOT NULL,
    recorded_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (lane, position, recorded_at)
) PARTITION BY RANGE (recorded_at);

COMMENT ON TABLE ordering.outbox IS 'Every event of every order, in the transaction that saved the order. Partitioned by day (UTC); see ordering.outbox_status for what became of each.';
COMMENT ON COLUMN ordering.outbox.lane IS 'One of 16, by a hash of the order id: a relay claims a whole lane.';
COMMENT ON COLUMN ordering.outbox.position IS 'Dense per lane, from the sequence ordering.outbox_lane_<lane>; gaps are transactions in flight or rolled back.';
COMMENT ON COLUMN ordering.outbox.schema_fingerprint IS 'SHA-256 of the canonical form of the Avro schema the payload was written with.';
COMMENT ON COLUMN ordering.outbox.payload IS 'The event in Avro, without the 5 bytes by which the wire names its schema.';
COMMENT ON COLUMN ordering.outbox.headers IS 'Headers to send along: an object of strings, such as {"traceparent": "00-…"}.';
COMMENT ON COLUMN ordering.outbox.occurred_at IS 'When the event happened, by the clock of the service.';
COMMENT ON COLUMN ordering.outbox.recorded_at IS 'When it was appended, by the clock of Postgres.';

-- Holds what no day partition takes, so that an order can be placed even if housekeeping slept.
CREATE TABLE ordering.outbox_default PARTITION OF ordering.outbox DEFAULT;
COMMENT ON TABLE ordering.outbox_default IS 'Events of days that had no partition when they came. Normally empty.';

-- Makes the partition of one day, unless it is there or its first events went to the default
-- partition, where that day then stays. Attaching, rather than creating in place, lets writers go on.
CREATE FUNCTION ordering.create_outbox_day(day date) RETURNS boolean
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
    EXECUTE format('CREATE TABLE ordering.%I (LIKE ordering.outbox INCLUDING DEFAULTS)', name);
    EXECUTE format('ALTER TABLE ordering.outbox ATTACH PARTITION ordering.%I FOR VALUES FROM (%L) TO (%L)',
                   name, opens, closes);
    RETURN true;
END $$;
COMMENT ON FUNCTION ordering.create_outbox_day IS 'Makes the outbox partition of one day (UTC). False if there was nothing to do.';

CREATE TABLE ordering.outbox_lanes (
    lane       smallint PRIMARY KEY CHECK (lane BETWEEN 0 AND 15),
    through    bigint   NOT NULL DEFAULT 0,
    settled_at timestamptz NOT NULL DEFAULT now()
-- Room for updates in place: these 16 rows change with every batch.
) WITH (fillfactor = 20);
INSERT INTO ordering.outbox_lanes (lane) SELECT generate_series(0, 15);
COMMENT ON TABLE ordering.outbox_lanes IS 'How far each lane has been published. A relay locks the row of the lane it works on.';
COMMENT ON COLUMN ordering.outbox_lanes.through IS 'All positions up to this one are processed, except those in ordering.outbox_stragglers.';
COMMENT ON COLUMN ordering.outbox_lanes.settled_at IS 'When a batch of this lane was last settled; the lane that waited longest is next.';

DO $$
BEGIN
    FOR lane IN 0..15 LOOP
        -- No cache: a position must be taken later than every lower one.
        EXECUTE format('CREATE SEQUENCE ordering.outbox_lane_%s AS bigint CACHE 1', lane);
        EXECUTE format('COMMENT ON SEQUENCE ordering.outbox_lane_%s IS %L', lane,
                       'Positions of lane ' || lane || ' of ordering.outbox.');
    END LOOP;
    PERFORM ordering.create_outbox_day((now() AT TIME ZONE 'UTC')::date + ahead)
    FROM generate_series(0, 7) AS ahead;
END $$;

CREATE TABLE ordering.outbox_stragglers (
    lane       smallint    NOT NULL,
    position   bigint      NOT NULL,
    reason     text        NOT NULL CHECK (reason IN ('late', 'failed', 'held')),
    order_id   uuid,
    horizon    xid8,
    attempts   integer     NOT NULL DEFAULT 0,
    retry_at   timestamptz NOT NULL DEFAULT now(),
    last_error text,
    noted_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, position),
    CHECK (reason = 'late' OR order_id IS NOT NULL)
);
CREATE INDEX outbox_stragglers_by_order ON ordering.outbox_stragglers (order_id, position);
COMMENT ON TABLE ordering.outbox_stragglers IS 'Positions that the cursor of their lane has passed although they are not processed.';
COMMENT ON COLUMN ordering.outbox_stragglers.reason IS 'late: its transaction had not ended, or rolled back; failed: publishing it failed; held: it waits, mostly behind an earlier event of its order.';
COMMENT ON COLUMN ordering.outbox_stragglers.order_id IS 'Unknown while it is late.';
COMMENT ON COLUMN ordering.outbox_stragglers.horizon IS 'The transaction that could have brought a late position began before this one.';
COMMENT ON COLUMN ordering.outbox_stragglers.attempts IS 'How often publishing it failed.';
COMMENT ON COLUMN ordering.outbox_stragglers.retry_at IS 'When it is tried again.';

CREATE TABLE ordering.outbox_dead_letters (
    lane          smallint    NOT NULL,
    position      bigint      NOT NULL,
    event_id      uuid        NOT NULL UNIQUE,
    order_id      uuid        NOT NULL,
    order_version bigint      NOT NULL,
    event_type    text        NOT NULL,
    reason        text        NOT NULL,
    died_at       timestamptz NOT NULL DEFAULT now(),
    discarded_at  timestamptz,
    PRIMARY KEY (lane, position)
);
COMMENT ON TABLE ordering.outbox_dead_letters IS 'Events that Kafka will never accept as they are. Their rows stay in ordering.outbox until each is retried or discarded.';
COMMENT ON COLUMN ordering.outbox_dead_letters.discarded_at IS 'When an operator gave it up; null as long as it waits for a decision.';

CREATE VIEW ordering.outbox_status AS
SELECT lane, position, event_id, order_id, order_version, event_type, occurred_at, recorded_at,
       status, status = 'processed' AS processed, attempts, last_error
FROM (
    SELECT o.lane, o.position, o.event_id, o.order_id, o.order_version, o.event_type,
           o.occurred_at, o.recorded_at,
           CASE WHEN d.position IS NOT NULL THEN 'dead'
                WHEN s.reason IN ('late', 'failed') THEN s.reason
                WHEN s.reason = 'held' OR o.position > l.through THEN 'pending'
                ELSE 'processed'
           END AS status,
           coalesce(s.attempts, 0) AS attempts,
           coalesce(d.reason, s.last_error) AS last_error
    FROM ordering.outbox AS o
    JOIN ordering.outbox_lanes AS l USING (lane)
    LEFT JOIN ordering.outbox_stragglers AS s USING (lane, position)
    LEFT JOIN ordering.outbox_dead_letters AS d USING (lane, position)
) AS record;
COMMENT ON VIEW ordering.outbox_status IS 'What became of each event: processed, pending, late, failed or dead.';

-- Drops the partition of one day, unless a record in it is still to be processed or decided about.
CREATE FUNCTION ordering.drop_outbox_day(day date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    name text := 'outbox_' || to_char(day, 'YYYYMMDD');
    needed boolean;
BEGIN
    -- Waits for a transaction that still writes into it. Readers and other days go on.
    EXECUTE format('LOCK TABLE ordering.%I IN SHARE MODE', name);
    EXECUTE format('
        SELECT EXISTS (SELECT FROM ordering.outbox_lanes AS l
                       WHERE l.through < (SELECT max(o.position) FROM ordering.%1$I AS o
                                          WHERE o.lane = l.lane))
            OR EXISTS (SELECT FROM ordering.outbox_stragglers JOIN ordering.%1$I USING (lane, position))
            OR EXISTS (SELECT FROM ordering.outbox_dead_letters AS d
                       JOIN ordering.%1$I USING (lane, position) WHERE d.discarded_at IS NULL)', name)
    INTO needed;
    IF needed THEN
        RETURN false;
    END IF;
    EXECUTE format('DELETE FROM ordering.outbox_dead_letters AS d USING ordering.%I AS o
                    WHERE o.lane = d.lane AND o.position = d.position', name);
    EXECUTE format('DROP TABLE ordering.%I', name);
    RETURN true;
END $$;
COMMENT ON FUNCTION ordering.drop_outbox_day IS 'Drops the outbox partition of one day (UTC). False if a record in it is still needed.';
