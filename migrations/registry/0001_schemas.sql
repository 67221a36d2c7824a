-- The published language: every schema that was ever registered, and where.

-- A schema keeps its id for good, whatever subjects come and go: records in Kafka carry it.
CREATE TABLE registry.schemas (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- As it was first registered.
    schema    text  NOT NULL,
    -- The same, without spaces and with sorted keys: what tells two schemas apart.
    canonical bytea NOT NULL
);

-- By its hash, for a schema can be longer than an index entry.
CREATE UNIQUE INDEX schemas_canonical ON registry.schemas (sha256(canonical));

CREATE TABLE registry.versions (
    subject   text    NOT NULL CHECK (subject <> ''),
    version   integer NOT NULL CHECK (version > 0),
    schema_id integer NOT NULL REFERENCES registry.schemas,
    -- Hidden, and still readable by who asks for the deleted.
    deleted   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (subject, version)
);

CREATE INDEX versions_schema ON registry.versions (schema_id);

-- A subject has a schema once.
CREATE UNIQUE INDEX versions_once ON registry.versions (subject, schema_id) WHERE NOT deleted;

-- How a subject's schemas may change; the empty subject stands for all that have no rule.
CREATE TABLE registry.levels (
    subject text PRIMARY KEY,
    level   text NOT NULL CHECK (level IN ('NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD',
                                           'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'))
);
