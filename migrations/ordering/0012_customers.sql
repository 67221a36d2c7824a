-- An order may name its customer. Programs of the version before keep writing orders without one.

-- Writers wait behind a lock request. If the lock is not available, the migration is tried again.
SET LOCAL lock_timeout = '200ms';

-- NOT VALID: these statements read no rows. The next migration validates the constraint.
ALTER TABLE ordering.orders
    ADD COLUMN customer_id text,
    ADD CONSTRAINT orders_customer_id_has_a_length CHECK (length(customer_id) BETWEEN 1 AND 64) NOT VALID;

COMMENT ON COLUMN ordering.orders.customer_id IS 'The id of the customer in the systems of the client; null if the request had none.';

-- To find the orders of a customer. A new table and not an index, because writers of `orders` would have to wait
-- until the index is built.
CREATE TABLE ordering.customer_orders (
    customer_id text NOT NULL,
    order_id    uuid NOT NULL,
    PRIMARY KEY (customer_id, order_id)
);

COMMENT ON TABLE ordering.customer_orders IS 'The orders of each customer: one row for each order that has a customer_id.';
