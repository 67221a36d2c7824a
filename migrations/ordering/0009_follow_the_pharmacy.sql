-- The pharmacy decides about an order: it reports its progress, and answers requests to cancel. Programs from
-- before this migration, at work beside newer ones, write only created and cancelled orders and none of the
-- new columns, so all of these may be null.

-- Writers wait behind a lock request. If the lock is not available, the migration is tried again.
SET LOCAL lock_timeout = '200ms';

-- NOT VALID: these statements read no rows. The next migration validates the constraints.
ALTER TABLE ordering.orders
    ADD COLUMN progress            text,
    ADD COLUMN rejection_code      text,
    ADD COLUMN rejection_text      text,
    ADD COLUMN cancel_requested_at timestamptz,
    ADD COLUMN cancel_declined_at  timestamptz,
    ADD COLUMN history             jsonb,
    DROP CONSTRAINT orders_status_check,
    ADD CONSTRAINT orders_status_is_known CHECK (status IN
        ('created', 'confirmed', 'ready', 'completed', 'rejected', 'cancellation_requested', 'cancelled')) NOT VALID,
    ADD CONSTRAINT orders_progress_is_known CHECK (progress IN
        ('confirmed', 'ready', 'completed', 'rejected')) NOT VALID,
    ADD CONSTRAINT orders_rejection_is_whole CHECK (
        (progress IS NOT DISTINCT FROM 'rejected') = (rejection_code IS NOT NULL AND rejection_text IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT orders_request_is_whole CHECK (
        (status = 'cancellation_requested') = (cancel_requested_at IS NOT NULL)
        AND (cancel_requested_at IS NULL OR cancel_reason IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT orders_never_cancelled_and_completed CHECK (
        status <> 'cancelled' OR progress IS NULL OR progress NOT IN ('completed', 'rejected')) NOT VALID;

COMMENT ON COLUMN ordering.orders.status IS 'What readers see. While a cancellation is requested, the pharmacy''s progress goes on in `progress`.';
COMMENT ON COLUMN ordering.orders.progress IS 'How far the pharmacy is; null: it has not answered yet.';
COMMENT ON COLUMN ordering.orders.rejection_code IS 'Why the pharmacy has rejected the order, as a code.';
COMMENT ON COLUMN ordering.orders.rejection_text IS 'Why the pharmacy has rejected the order, in words.';
COMMENT ON COLUMN ordering.orders.cancel_reason IS 'Why the customer asks to cancel the order, or why it was cancelled.';
COMMENT ON COLUMN ordering.orders.cancel_requested_at IS 'When the customer asked to cancel the order; null if the pharmacy has answered, or nobody asked.';
COMMENT ON COLUMN ordering.orders.cancel_declined_at IS 'When the pharmacy declined to cancel the order.';
COMMENT ON COLUMN ordering.orders.history IS 'Each status with its time, oldest first: [{"status": "created", "at": "2026-01-31T12:00:00Z"}]. Null: created_at and cancelled_at say all.';
