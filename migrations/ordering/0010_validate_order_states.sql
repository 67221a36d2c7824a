-- Validating a constraint reads the whole table. In a transaction of its own it needs no lock that writers
-- wait for.
SET LOCAL lock_timeout = '200ms';

ALTER TABLE ordering.orders
    VALIDATE CONSTRAINT orders_status_is_known,
    VALIDATE CONSTRAINT orders_progress_is_known,
    VALIDATE CONSTRAINT orders_rejection_is_whole,
    VALIDATE CONSTRAINT orders_request_is_whole,
    VALIDATE CONSTRAINT orders_never_cancelled_and_completed;
