-- The data of a customer can be erased: the texts of people in the customer's orders are replaced.

-- Writers wait behind a lock request. If the lock is not available, the migration is tried again.
SET LOCAL lock_timeout = '200ms';

ALTER TABLE ordering.orders ADD COLUMN redacted_at timestamptz;

COMMENT ON COLUMN ordering.orders.redacted_at IS 'When the data of the customer were erased: the name is replaced, there is no note, and neither are the texts of a cancellation or a rejection. Null: they were not.';

-- What was ordered never changes, except that a redaction replaces the name and drops the note.
CREATE OR REPLACE FUNCTION ordering.keep_what_was_ordered() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.items := OLD.items;
    IF NEW.redacted_at IS NULL THEN
        NEW.customer_name := OLD.customer_name;
        NEW.note := OLD.note;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION ordering.keep_what_was_ordered IS 'Undoes a change to what was ordered that is not a redaction.';
