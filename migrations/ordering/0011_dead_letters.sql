-- Records of the pharmacy's topic that ordering could not apply, until somebody retries or discards them. The same
-- table as in the other contexts.
SET LOCAL lock_timeout = '200ms';

CREATE TABLE ordering.dead_letters (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic           text        NOT NULL,
    topic_partition integer     NOT NULL,
    topic_offset    bigint      NOT NULL,
    key             bytea,
    value           bytea,
    -- A topic that was created again counts its offsets from 0 again. Empty for a tombstone.
    value_hash      bytea       NOT NULL
        GENERATED ALWAYS AS (CASE WHEN value IS NULL THEN ''::bytea ELSE sha256(value) END) STORED,
    reason          text        NOT NULL,
    state           text        NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'retried', 'discarded')),
    kept_at         timestamptz NOT NULL DEFAULT now(),
    settled_at      timestamptz,
    timestamp_ms    bigint,
    headers         jsonb,
    UNIQUE (topic, topic_partition, topic_offset, value_hash),
    CHECK ((state = 'open') = (settled_at IS NULL))
);

CREATE INDEX dead_letters_open ON ordering.dead_letters (id) WHERE state = 'open';
CREATE INDEX dead_letters_settled ON ordering.dead_letters (settled_at) WHERE state <> 'open';

COMMENT ON COLUMN ordering.dead_letters.timestamp_ms IS 'The timestamp of the record in Kafka, in milliseconds since 1970.';
COMMENT ON COLUMN ordering.dead_letters.headers IS 'The headers of the record in their sequence: an array of {"name", "text"}, or {"name", "hex"} if the value is not text, or {"name"} if it has none.';
