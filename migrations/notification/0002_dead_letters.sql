-- Records that had no effect, with their bytes, until somebody retries or discards them.
CREATE TABLE notification.dead_letters (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic           text        NOT NULL,
    topic_partition integer     NOT NULL,
    topic_offset    bigint      NOT NULL,
    key             bytea,
    value           bytea,
    -- A topic that was made anew counts its offsets from 0 again: the content tells its records
    -- from the old ones. Empty for a tombstone.
    value_hash      bytea       NOT NULL
        GENERATED ALWAYS AS (CASE WHEN value IS NULL THEN ''::bytea ELSE sha256(value) END) STORED,
    reason          text        NOT NULL,
    state           text        NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'retried', 'discarded')),
    kept_at         timestamptz NOT NULL DEFAULT now(),
    settled_at      timestamptz,
    UNIQUE (topic, topic_partition, topic_offset, value_hash),
    CHECK ((state = 'open') = (settled_at IS NULL))
);

CREATE INDEX dead_letters_open ON notification.dead_letters (id) WHERE state = 'open';
