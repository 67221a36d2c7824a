-- The proof that no event is lost (adapters/src/postgres/ordering/outbox.rs) takes two things for
-- granted: positions never go back, and the database is the one that it was. Relays check both, and
-- remember here what they found. The check is in adapters/src/postgres/ordering/outbox_check.rs.

CREATE TABLE ordering.outbox_identity (
    only_row          boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    system_identifier bigint      NOT NULL,
    timeline          bigint      NOT NULL,
    verified_at       timestamptz,
    reached           bigint[]    CHECK (cardinality(reached) = 16),
    stopped_for       text,
    adopted_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ordering.outbox_identity IS 'One row: which server the outbox was on, and up to where it was sound, when a relay last checked it. Empty until the first check.';
COMMENT ON COLUMN ordering.outbox_identity.system_identifier IS 'Which cluster of databases, by pg_control_system(). A dump restored into another one changes it.';
COMMENT ON COLUMN ordering.outbox_identity.timeline IS 'The first 8 hexadecimal digits of a WAL file''s name. A promotion, and a restore to a point in time, changes it.';
COMMENT ON COLUMN ordering.outbox_identity.verified_at IS 'When the outbox was last found sound, by the clock of this server; null if never.';
COMMENT ON COLUMN ordering.outbox_identity.reached IS 'Per lane: the highest position that was known at verified_at. Sequences must not be below it.';
COMMENT ON COLUMN ordering.outbox_identity.stopped_for IS 'Why no relay may publish until `order-jobs adopt` has put it right; null if all is well.';
COMMENT ON COLUMN ordering.outbox_identity.adopted_at IS 'When this server was first seen, or last adopted.';

-- The timeline of this server; null on a standby. What pg_control_checkpoint() says is older than a
-- promotion until the next checkpoint.
CREATE FUNCTION ordering.timeline() RETURNS bigint
LANGUAGE sql AS $$
    SELECT CASE WHEN NOT pg_is_in_recovery()
                THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END
$$;
COMMENT ON FUNCTION ordering.timeline IS 'The timeline this server writes; null on a standby.';

-- Every claim of a relay begins with this. So none can be made on a server that no check has seen,
-- however the relay's connection came to lead there.
CREATE FUNCTION ordering.refuse_unverified_outbox() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    known ordering.outbox_identity;
BEGIN
    SELECT * INTO known FROM ordering.outbox_identity;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF known.stopped_for IS NOT NULL THEN
        RAISE EXCEPTION 'publishing is stopped: %', known.stopped_for USING ERRCODE = 'OR002';
    END IF;
    IF known.system_identifier <> (SELECT system_identifier FROM pg_control_system())
       OR known.timeline IS DISTINCT FROM ordering.timeline() THEN
        RAISE EXCEPTION 'publishing is stopped: the outbox is on another server, or timeline, than when it was last checked'
            USING ERRCODE = 'OR002';
    END IF;
END $$;
COMMENT ON FUNCTION ordering.refuse_unverified_outbox IS 'Fails with SQLSTATE OR002 unless this server is the one that the last check of the outbox saw, and that check found the outbox sound.';
