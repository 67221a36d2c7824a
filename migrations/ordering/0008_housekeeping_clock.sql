-- Housekeeping deletes what is old by the clock of Postgres. A clock that jumps must not make it forget
-- what is young, so it remembers what the clock said last.
SET LOCAL lock_timeout = '200ms';

CREATE TABLE ordering.housekeeping_clock (
    only_row      boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    believed_at   timestamptz NOT NULL DEFAULT now(),
    doubted_at    timestamptz,
    confirmations integer     NOT NULL DEFAULT 0 CHECK (confirmations >= 0)
);
INSERT INTO ordering.housekeeping_clock DEFAULT VALUES;
COMMENT ON TABLE ordering.housekeeping_clock IS 'What the last rounds of housekeeping read from the clock of Postgres; one row.';
COMMENT ON COLUMN ordering.housekeeping_clock.believed_at IS 'The last reading that was believed.';
COMMENT ON COLUMN ordering.housekeeping_clock.doubted_at IS 'The last reading of a clock that jumped; null while the clock is believed.';
COMMENT ON COLUMN ordering.housekeeping_clock.confirmations IS 'How many readings in a row have confirmed the clock that jumped.';

-- An answer given while the clock is behind must not look old when the clock is set right.
CREATE FUNCTION ordering.answered_now() RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT greatest(now(), (SELECT believed_at FROM ordering.housekeeping_clock))
$$;
COMMENT ON FUNCTION ordering.answered_now IS 'The time by the clock of Postgres, but not before what housekeeping last believed.';

ALTER TABLE ordering.causes ALTER COLUMN answered_at SET DEFAULT ordering.answered_now();
