-- Validating a constraint reads the whole table. In a transaction of its own it needs no lock that writers
-- wait for.
SET LOCAL lock_timeout = '200ms';

ALTER TABLE ordering.orders VALIDATE CONSTRAINT orders_customer_id_has_a_length;
