-- What the relays have seen of the topics they publish to. The partition of an order is a hash of its
-- id modulo the number of partitions: with another number, later events of an order could overtake
-- earlier ones. So a relay that starts after partitions were added must know how many there were.
CREATE TABLE ordering.topics (
    name text PRIMARY KEY,
    partitions integer NOT NULL CHECK (partitions > 0),
    first_seen timestamptz NOT NULL DEFAULT now()
);
