-- The pharmacy's work on the orders. Programs of the version before keep writing `status`, `missing`
-- and the other columns: what ordering told.
SET LOCAL lock_timeout = '200ms';

ALTER TABLE orders
    ADD COLUMN work_status  text   NOT NULL DEFAULT 'draft',
    ADD COLUMN work_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN answered     bigint,
    ADD COLUMN history      jsonb  NOT NULL DEFAULT '[]',
    ADD COLUMN gaps         jsonb;

COMMENT ON COLUMN orders.work_status IS 'The status of the pharmacy''s work: the last of history, or draft.';
COMMENT ON COLUMN orders.work_version IS 'The number of events that the pharmacy has recorded about the order.';
COMMENT ON COLUMN orders.answered IS 'The latest version of the order whose request to cancel was answered.';
COMMENT ON COLUMN orders.history IS 'The changes of the status, oldest first: an array of {"status", "at"}, of a rejection also {"code", "text"}.';
COMMENT ON COLUMN orders.gaps IS 'The versions of the order that are missing: an array of [first, last]. NULL in rows of earlier versions, which have only their number.';

-- A program of the version before cancels an order without a word about the work.
CREATE FUNCTION cancel_work() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.work_status := 'cancelled';
    RETURN NEW;
END $$;

CREATE TRIGGER cancel_work BEFORE INSERT OR UPDATE ON orders FOR EACH ROW
    WHEN (NEW.status = 'cancelled' AND NEW.work_status IN ('draft', 'confirmed', 'in_preparation', 'ready'))
    EXECUTE FUNCTION cancel_work();

UPDATE orders SET work_status = 'cancelled' WHERE status = 'cancelled';

-- Not validated: existing rows have the default. The version is 0 if only the work was recovered, and no event of the
-- order was received yet.
ALTER TABLE orders
    DROP CONSTRAINT orders_version_check,
    ADD CONSTRAINT version_is_a_count CHECK (version >= 0) NOT VALID,
    ADD CONSTRAINT work_status_is_known CHECK (work_status IN (
        'draft', 'confirmed', 'in_preparation', 'ready', 'dispensed', 'rejected', 'cancelled')) NOT VALID,
    ADD CONSTRAINT work_version_is_a_count CHECK (work_version >= 0) NOT VALID;

CREATE INDEX orders_by_work_status ON orders (work_status, order_id);
-- For the worklist, which counts only the orders that are not done.
CREATE INDEX orders_open ON orders (work_status, received_at)
    WHERE work_status IN ('draft', 'confirmed', 'in_preparation', 'ready');
