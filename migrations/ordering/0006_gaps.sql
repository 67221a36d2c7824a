-- A wide gap in the positions of a lane is noted as one range. Position by position, a jump of 100,000
-- (a rolled back import, a crash under load) would hold up its lane for as many notes.

-- Writers queue behind a lock that is waited for; what cannot be had now is tried again.
SET LOCAL lock_timeout = '200ms';

-- A table of its own: a relay of the version before takes every row of outbox_stragglers for a single
-- position. It would publish the first of a range, delete the row, and lose the rest.
CREATE TABLE ordering.outbox_gaps (
    lane           smallint    NOT NULL,
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    horizon        xid8,
    noted_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, first_position),
    CHECK (first_position <= last_position)
);
COMMENT ON TABLE ordering.outbox_gaps IS 'Ranges of positions that the cursor of their lane has passed although most of them have no row. Rows that come after all are published; the range goes once no transaction is left that could bring one.';
COMMENT ON COLUMN ordering.outbox_gaps.horizon IS 'The transactions that could have brought a position of the range began before this one.';

CREATE OR REPLACE VIEW ordering.outbox_status AS
SELECT lane, position, event_id, order_id, order_version, event_type, occurred_at, recorded_at,
       status, status = 'processed' AS processed, attempts, last_error
FROM (
    SELECT o.lane, o.position, o.event_id, o.order_id, o.order_version, o.event_type,
           o.occurred_at, o.recorded_at,
           CASE WHEN d.position IS NOT NULL THEN 'dead'
                WHEN s.reason IN ('late', 'failed') THEN s.reason
                WHEN s.reason = 'held' OR o.position > l.through THEN 'pending'
                WHEN EXISTS (SELECT FROM ordering.outbox_gaps AS g WHERE g.lane = o.lane
                             AND o.position BETWEEN g.first_position AND g.last_position) THEN 'late'
                ELSE 'processed'
           END AS status,
           coalesce(s.attempts, 0) AS attempts,
           coalesce(d.reason, s.last_error) AS last_error
    FROM ordering.outbox AS o
    JOIN ordering.outbox_lanes AS l USING (lane)
    LEFT JOIN ordering.outbox_stragglers AS s USING (lane, position)
    LEFT JOIN ordering.outbox_dead_letters AS d USING (lane, position)
) AS record;

CREATE OR REPLACE FUNCTION ordering.drop_outbox_day(day date) RETURNS boolean
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
            OR EXISTS (SELECT FROM ordering.outbox_gaps AS g JOIN ordering.%1$I AS o ON o.lane = g.lane
                       AND o.position BETWEEN g.first_position AND g.last_position)
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
