-- What the pharmacy knows of the orders it will have to prepare.
CREATE TABLE pharmacy.orders (
    order_id      uuid        PRIMARY KEY,
    -- The latest version told, and how many before it have not been told.
    version       bigint      NOT NULL CHECK (version >= 1),
    missing       bigint      NOT NULL CHECK (missing >= 0),
    status        text        NOT NULL CHECK (status IN ('draft', 'cancelled')),
    -- Unknown as long as only a later event has been told.
    customer_name text,
    ordered_at    timestamptz,
    cancel_reason text,
    cancelled_at  timestamptz,
    -- How often the row was saved: two consumers of one order are told apart by it.
    revision      bigint      NOT NULL CHECK (revision >= 1),
    received_at   timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CHECK ((customer_name IS NULL) = (ordered_at IS NULL)),
    CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CHECK ((status = 'cancelled') = (cancel_reason IS NOT NULL))
);

-- The newest of one status; without a status the primary key serves.
CREATE INDEX orders_by_status ON pharmacy.orders (status, order_id);

-- What to prepare, in the customer's order. Values are kept as they were published.
CREATE TABLE pharmacy.order_items (
    order_id   uuid    NOT NULL REFERENCES pharmacy.orders ON DELETE CASCADE,
    line       integer NOT NULL CHECK (line >= 1),
    product_id bigint  NOT NULL,
    quantity   integer NOT NULL,
    PRIMARY KEY (order_id, line)
);
