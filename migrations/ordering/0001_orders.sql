-- The orders, and the requests and events they answered.

CREATE TABLE ordering.orders (
    id            uuid        PRIMARY KEY,
    customer_name text        NOT NULL,
    items         jsonb       NOT NULL,
    status        text        NOT NULL CHECK (status IN ('created', 'cancelled')),
    version       bigint      NOT NULL CHECK (version >= 1),
    created_at    timestamptz NOT NULL,
    cancel_reason text,
    cancelled_at  timestamptz,
    CHECK ((status = 'cancelled') = (cancel_reason IS NOT NULL AND cancelled_at IS NOT NULL))
);

-- Pages of orders, newest first, by status. Without a status the primary key serves.
CREATE INDEX orders_by_status ON ordering.orders (status, id);

COMMENT ON TABLE ordering.orders IS 'Every order as it stands. Its history is in ordering.outbox.';
COMMENT ON COLUMN ordering.orders.id IS 'UUID version 7: ids ascend with time.';
COMMENT ON COLUMN ordering.orders.items IS 'In the customer''s order: [{"productId": 1, "quantity": 2}].';
COMMENT ON COLUMN ordering.orders.version IS 'Events recorded so far; a save is refused unless it is unchanged since the order was read.';

CREATE TABLE ordering.causes (
    kind        text        NOT NULL CHECK (kind IN ('request', 'event')),
    key         text        NOT NULL,
    fingerprint uuid,
    answer      jsonb       NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, key)
);

-- Housekeeping deletes the oldest.
CREATE INDEX causes_by_age ON ordering.causes (answered_at);

COMMENT ON TABLE ordering.causes IS 'What was answered once: a repeat of it gets the same answer again and changes nothing.';
COMMENT ON COLUMN ordering.causes.kind IS 'request: the key is the client''s Idempotency-Key; event: the key is the id of another context''s event.';
COMMENT ON COLUMN ordering.causes.fingerprint IS 'Tells a repeat of the request from another request under the same key.';
COMMENT ON COLUMN ordering.causes.answer IS 'The order as it was answered.';

-- Undoes a save whose cause was claimed in the same statement that then found the order changed.
CREATE FUNCTION ordering.refuse_changed_order() RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the order was changed by somebody else' USING ERRCODE = 'OR001';
END $$;
COMMENT ON FUNCTION ordering.refuse_changed_order IS 'Fails with SQLSTATE OR001, so that the whole save is undone.';
