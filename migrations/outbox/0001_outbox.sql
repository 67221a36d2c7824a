-- The tables of an outbox, in the schema that the session's search path names. Each context that
-- publishes events has one. The protocol is described, with its proof, in adapters/outbox/src/outbox.rs.
--
-- The outbox of ordering is older than this file: its migrations 2 to 7 made the same tables. There
-- this one only replaces functions and the view.
SET LOCAL lock_timeout = '200ms';

CREATE TABLE IF NOT EXISTS outbox (
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
    CONSTRAINT outbox_lane_is_read CHECK (lane BETWEEN 0 AND 15),
    CONSTRAINT outbox_position_is_read CHECK (position >= 1),
    CONSTRAINT outbox_version_is_one CHECK (order_version >= 1),
    CONSTRAINT outbox_headers_are_texts CHECK (
        jsonb_typeof(headers) = 'object'
        -- Strict: else an array would be taken for what is in it.
        AND NOT jsonb_path_exists(headers, 'strict $.* ? (@.type() <> "string")', silent => true)),
    -- The years that RFC 3339 can express.
    CONSTRAINT outbox_occurred_in_time CHECK (
        occurred_at >= '0001-01-01T00:00:00Z' AND occurred_at < '10000-01-01T00:00:00Z'),
    PRIMARY KEY (lane, position, recorded_at)
) PARTITION BY RANGE (recorded_at);

CREATE TABLE IF NOT EXISTS outbox_default PARTITION OF outbox DEFAULT;

-- Makes the partition of one day, unless it is there or its first events went to the default partition,
-- where that day then stays. The partition is attached, not created in place, so that writers go on.
CREATE OR REPLACE FUNCTION create_outbox_day(day date) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    name text := 'outbox_' || to_char(day, 'YYYYMMDD');
    opens timestamptz := day::timestamp AT TIME ZONE 'UTC';
    closes timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(quote_ident(name)) IS NOT NULL
       OR EXISTS (SELECT FROM outbox_default
                  WHERE recorded_at >= opens AND recorded_at < closes) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                   name);
    EXECUTE format('ALTER TABLE outbox ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   name, opens, closes);
    RETURN true;
END $$;

CREATE TABLE IF NOT EXISTS outbox_lanes (
    lane       smallint PRIMARY KEY CHECK (lane BETWEEN 0 AND 15),
    through    bigint   NOT NULL DEFAULT 0,
    settled_at timestamptz NOT NULL DEFAULT now()
-- Room for updates in place: these 16 rows change with every batch.
) WITH (fillfactor = 20);

INSERT INTO outbox_lanes (lane) SELECT generate_series(0, 15) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS outbox_stragglers (
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

CREATE TABLE IF NOT EXISTS outbox_dead_letters (
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

CREATE TABLE IF NOT EXISTS outbox_identity (
    only_row          boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    system_identifier bigint      NOT NULL,
    timeline          bigint      NOT NULL,
    verified_at       timestamptz,
    reached           bigint[]    CHECK (cardinality(reached) = 16),
    stopped_for       text,
    adopted_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS outbox_gaps (
    lane           smallint    NOT NULL,
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    horizon        xid8,
    noted_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, first_position),
    CHECK (first_position <= last_position)
);

CREATE TABLE IF NOT EXISTS topics (
    name text PRIMARY KEY,
    partitions integer NOT NULL CHECK (partitions > 0),
    first_seen timestamptz NOT NULL DEFAULT now()
);

-- The timeline of this server; null on a standby. pg_control_checkpoint() shows a promotion only after
-- the next checkpoint.
CREATE OR REPLACE FUNCTION timeline() RETURNS bigint
LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT CASE WHEN NOT pg_is_in_recovery()
                THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END
$$;

-- Every claim of a relay begins with this. So no claim is made on a server that no check has verified,
-- whatever server the relay's connection leads to.
CREATE OR REPLACE FUNCTION refuse_unverified_outbox() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    known outbox_identity;
BEGIN
    SELECT * INTO known FROM outbox_identity;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF known.stopped_for IS NOT NULL THEN
        RAISE EXCEPTION 'publishing is stopped: %', known.stopped_for USING ERRCODE = 'OR002';
    END IF;
    IF known.system_identifier <> (SELECT system_identifier FROM pg_control_system())
       OR known.timeline IS DISTINCT FROM timeline() THEN
        RAISE EXCEPTION 'publishing is stopped: the outbox is on another server, or timeline, than when it was last checked'
            USING ERRCODE = 'OR002';
    END IF;
END $$;

CREATE OR REPLACE VIEW outbox_status AS
SELECT lane, position, event_id, order_id, order_version, event_type, occurred_at, recorded_at,
       status, status = 'processed' AS processed, attempts, last_error
FROM (
    SELECT o.lane, o.position, o.event_id, o.order_id, o.order_version, o.event_type,
           o.occurred_at, o.recorded_at,
           CASE WHEN d.position IS NOT NULL THEN 'dead'
                WHEN s.reason IN ('late', 'failed') THEN s.reason
                WHEN s.reason = 'held' OR o.position > l.through THEN 'pending'
                WHEN EXISTS (SELECT FROM outbox_gaps AS g WHERE g.lane = o.lane
                             AND o.position BETWEEN g.first_position AND g.last_position) THEN 'late'
                ELSE 'processed'
           END AS status,
           coalesce(s.attempts, 0) AS attempts,
           coalesce(d.reason, s.last_error) AS last_error
    FROM outbox AS o
    JOIN outbox_lanes AS l USING (lane)
    LEFT JOIN outbox_stragglers AS s USING (lane, position)
    LEFT JOIN outbox_dead_letters AS d USING (lane, position)
) AS record;

-- Drops the partition of one day, unless a record in it is still to be processed or decided about.
CREATE OR REPLACE FUNCTION drop_outbox_day(day date) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    name text := 'outbox_' || to_char(day, 'YYYYMMDD');
    needed boolean;
BEGIN
    -- Waits for a transaction that still writes into it. Readers and other days go on.
    EXECUTE format('LOCK TABLE %I IN SHARE MODE', name);
    EXECUTE format('
        SELECT EXISTS (SELECT FROM outbox_lanes AS l
                       WHERE l.through < (SELECT max(o.position) FROM %1$I AS o
                                          WHERE o.lane = l.lane))
            OR EXISTS (SELECT FROM outbox_stragglers JOIN %1$I USING (lane, position))
            OR EXISTS (SELECT FROM outbox_gaps AS g JOIN %1$I AS o ON o.lane = g.lane
                       AND o.position BETWEEN g.first_position AND g.last_position)
            OR EXISTS (SELECT FROM outbox_dead_letters AS d
                       JOIN %1$I USING (lane, position) WHERE d.discarded_at IS NULL)', name)
    INTO needed;
    IF needed THEN
        RETURN false;
    END IF;
    EXECUTE format('DELETE FROM outbox_dead_letters AS d USING %I AS o
                    WHERE o.lane = d.lane AND o.position = d.position', name);
    EXECUTE format('DROP TABLE %I', name);
    RETURN true;
END $$;

DO $$
BEGIN
    FOR lane IN 0..15 LOOP
        -- No cache: a position must be taken later than every lower one.
        EXECUTE format('CREATE SEQUENCE IF NOT EXISTS outbox_lane_%s AS bigint CACHE 1', lane);
    END LOOP;
    PERFORM create_outbox_day((now() AT TIME ZONE 'UTC')::date + ahead)
    FROM generate_series(0, 7) AS ahead;
END $$;

COMMENT ON TABLE outbox IS 'Every event of every aggregate, in the transaction that saved the aggregate. Partitioned by day (UTC); see outbox_status for what became of each.';
COMMENT ON COLUMN outbox.lane IS 'One of 16, by a hash of the aggregate id: a relay claims a whole lane.';
COMMENT ON COLUMN outbox.position IS 'Dense per lane, from the sequence outbox_lane_<lane>; gaps are transactions in flight or rolled back.';
COMMENT ON COLUMN outbox.schema_fingerprint IS 'SHA-256 of the canonical form of the Avro schema the payload was written with.';
COMMENT ON COLUMN outbox.payload IS 'The event in Avro, without the 5 bytes by which the wire names its schema.';
COMMENT ON COLUMN outbox.headers IS 'Headers to send along: an object of strings, such as {"traceparent": "00-…"}.';
COMMENT ON COLUMN outbox.occurred_at IS 'When the event happened, by the clock of the service.';
COMMENT ON COLUMN outbox.recorded_at IS 'When it was appended, by the clock of Postgres.';
COMMENT ON TABLE outbox_default IS 'Events of days that had no partition when they came. Normally empty.';
COMMENT ON FUNCTION create_outbox_day IS 'Makes the outbox partition of one day (UTC). False if there was nothing to do.';
COMMENT ON TABLE outbox_lanes IS 'How far each lane has been published. A relay locks the row of the lane it works on.';
COMMENT ON COLUMN outbox_lanes.through IS 'All positions up to this one are processed, except those in outbox_stragglers.';
COMMENT ON COLUMN outbox_lanes.settled_at IS 'When a batch of this lane was last settled; the lane that waited longest is next.';
COMMENT ON TABLE outbox_stragglers IS 'Positions that the cursor of their lane has passed although they are not processed.';
COMMENT ON COLUMN outbox_stragglers.reason IS 'late: its transaction had not ended, or rolled back; failed: publishing it failed; held: it waits, mostly behind an earlier event of its aggregate.';
COMMENT ON COLUMN outbox_stragglers.order_id IS 'Unknown while it is late.';
COMMENT ON COLUMN outbox_stragglers.horizon IS 'The transaction that could have brought a late position began before this one.';
COMMENT ON COLUMN outbox_stragglers.attempts IS 'How often publishing it failed.';
COMMENT ON COLUMN outbox_stragglers.retry_at IS 'When it is tried again.';
COMMENT ON TABLE outbox_dead_letters IS 'Events that Kafka will never accept as they are. Their rows stay in outbox until each is retried or discarded.';
COMMENT ON COLUMN outbox_dead_letters.discarded_at IS 'When an operator gave it up; null as long as it waits for a decision.';
COMMENT ON VIEW outbox_status IS 'What became of each event: processed, pending, late, failed or dead.';
COMMENT ON FUNCTION drop_outbox_day IS 'Drops the outbox partition of one day (UTC). False if a record in it is still needed.';
COMMENT ON TABLE outbox_identity IS 'One row: which server the outbox was on, and up to where it was sound, when a relay last checked it. Empty until the first check.';
COMMENT ON COLUMN outbox_identity.system_identifier IS 'Which cluster of databases, by pg_control_system(). A dump restored into another one changes it.';
COMMENT ON COLUMN outbox_identity.timeline IS 'The first 8 hexadecimal digits of a WAL file''s name. A promotion, and a restore to a point in time, changes it.';
COMMENT ON COLUMN outbox_identity.verified_at IS 'When the outbox was last found sound, by the clock of this server; null if never.';
COMMENT ON COLUMN outbox_identity.reached IS 'Per lane: the highest position that was known at verified_at. Sequences must not be below it.';
COMMENT ON COLUMN outbox_identity.stopped_for IS 'Why no relay may publish until an operator has adopted the outbox; null if all is well.';
COMMENT ON COLUMN outbox_identity.adopted_at IS 'When this server was first seen, or last adopted.';
COMMENT ON FUNCTION timeline IS 'The timeline this server writes; null on a standby.';
COMMENT ON FUNCTION refuse_unverified_outbox IS 'Fails with SQLSTATE OR002 unless this server is the one that the last check of the outbox saw, and that check found the outbox sound.';
COMMENT ON TABLE outbox_gaps IS 'Ranges of positions that the cursor of their lane has passed although most of them have no row. Rows that come after all are published; the range goes once no transaction is left that could bring one.';
COMMENT ON COLUMN outbox_gaps.horizon IS 'The transactions that could have brought a position of the range began before this one.';
COMMENT ON COLUMN outbox.order_id IS 'The id of the aggregate that the event is about.';
COMMENT ON COLUMN outbox.order_version IS 'The version of the aggregate after the event.';
COMMENT ON TABLE topics IS 'Topics that relays publish to, and how many partitions each had when it was first seen.';
