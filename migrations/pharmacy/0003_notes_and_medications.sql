-- What the second version of OrderCreated tells besides: a note, and which medication is meant by an
-- item. Absent where it was not said, and in all that was told before. Values are kept as they were
-- published.
ALTER TABLE pharmacy.orders ADD COLUMN note text;

ALTER TABLE pharmacy.order_items
    ADD COLUMN medication_system  text,
    ADD COLUMN medication_code    text,
    ADD COLUMN medication_display text;

-- Not validated: the rows that are there hold nothing in these columns, so there is nothing to look
-- for, and nobody has to wait while a large table is read.
ALTER TABLE pharmacy.orders
    ADD CHECK (note IS NULL OR customer_name IS NOT NULL) NOT VALID;
ALTER TABLE pharmacy.order_items
    ADD CHECK ((medication_system IS NULL) = (medication_code IS NULL)) NOT VALID,
    ADD CHECK (medication_display IS NULL OR medication_code IS NOT NULL) NOT VALID;

COMMENT ON COLUMN pharmacy.orders.note IS 'What the customer has to say about the order.';
COMMENT ON COLUMN pharmacy.order_items.medication_system IS 'The terminology that says which medication is meant, by its URI.';
COMMENT ON COLUMN pharmacy.order_items.medication_code IS 'The medication''s code in it.';
COMMENT ON COLUMN pharmacy.order_items.medication_display IS 'What the terminology calls it.';
