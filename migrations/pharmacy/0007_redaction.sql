-- Ordering can tell that the data of a customer were erased. A program of the version before skips this event.
SET LOCAL lock_timeout = '200ms';

ALTER TABLE orders ADD COLUMN redacted boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN orders.redacted IS 'Whether the data of the customer were erased: the texts of people are replaced, also those that arrive later.';
