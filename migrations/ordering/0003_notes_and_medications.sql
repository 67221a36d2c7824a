-- An order may carry a note, and each of its items may say which medication is meant.

ALTER TABLE ordering.orders ADD COLUMN note text;

COMMENT ON COLUMN ordering.orders.items IS 'In the customer''s order: [{"productId": 1, "quantity": 2, "medication": {"system": "http://snomed.info/sct", "code": "387517004", "display": "Paracetamol"}}]; display, and medication as a whole, may be absent.';
COMMENT ON COLUMN ordering.orders.note IS 'What the customer has to say about the order; lines end with a line feed.';

-- What was ordered never changes. A program from before this migration, at work beside a newer one,
-- writes it back all the same when it cancels an order, and knows less of it.
CREATE FUNCTION ordering.keep_what_was_ordered() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.customer_name := OLD.customer_name;
    NEW.items := OLD.items;
    NEW.note := OLD.note;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION ordering.keep_what_was_ordered IS 'Undoes a change to what was ordered.';

CREATE TRIGGER keep_what_was_ordered
    BEFORE UPDATE OF customer_name, items, note ON ordering.orders
    FOR EACH ROW EXECUTE FUNCTION ordering.keep_what_was_ordered();
