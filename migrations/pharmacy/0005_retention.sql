-- Settled dead letters are deleted after a while.
SET LOCAL lock_timeout = '200ms';

CREATE INDEX dead_letters_settled ON pharmacy.dead_letters (settled_at) WHERE state <> 'open';

-- A clock that jumps must not make housekeeping delete what is young, so it remembers what the clock
-- said last.
CREATE TABLE pharmacy.housekeeping_clock (
    only_row      boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    -- The last reading of the clock of Postgres that was believed.
    believed_at   timestamptz NOT NULL DEFAULT now(),
    -- The last reading of a clock that jumped, and how many in a row have confirmed it.
    doubted_at    timestamptz,
    confirmations integer     NOT NULL DEFAULT 0 CHECK (confirmations >= 0)
);
INSERT INTO pharmacy.housekeeping_clock DEFAULT VALUES;
