-- Creates :orders orders, placed over the last six days. Every tenth is cancelled. All are published, and known to both
-- read models.
\set version '(CASE WHEN n % 10 = 0 THEN 2 ELSE 1 END)'
SELECT ordering.create_outbox_day((now() AT TIME ZONE 'UTC')::date - ago) FROM generate_series(1, 7) AS ago
\g /dev/null

CREATE TABLE placed AS
SELECT n, (lpad(to_hex(millis), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid AS id,
       to_timestamp(millis / 1000.0) AS placed_at
FROM generate_series(1, :orders) AS n
CROSS JOIN LATERAL (SELECT (extract(epoch FROM now() - interval '6 days') * 1000)::bigint
                           + n * (6 * 86400000::bigint - 300000) / :orders AS millis) AS at;

INSERT INTO ordering.orders (id, customer_name, items, status, version, created_at, cancel_reason, cancelled_at)
SELECT id, 'Ada Lovelace', '[{"productId": 1, "quantity": 2}]',
       CASE WHEN n % 10 = 0 THEN 'cancelled' ELSE 'created' END, :version, placed_at,
       CASE WHEN n % 10 = 0 THEN 'no need' END, CASE WHEN n % 10 = 0 THEN placed_at END
FROM placed ORDER BY id;

CREATE TABLE events AS
SELECT placed.id, n, v AS version, gen_random_uuid() AS event_id, placed_at, n % 16 AS lane,
       row_number() OVER (PARTITION BY n % 16 ORDER BY n, v) AS position
FROM placed CROSS JOIN generate_series(1, 2) AS v WHERE v <= :version;

INSERT INTO ordering.outbox (lane, position, event_id, order_id, order_version, event_type, schema_fingerprint, payload,
                             headers, occurred_at, recorded_at)
SELECT lane, position, event_id, id, version, CASE version WHEN 1 THEN 'OrderCreated' ELSE 'OrderCancelled' END,
       sha256('')::bytea, decode(repeat('00', 100), 'hex'), '{}', placed_at, placed_at
FROM events ORDER BY n, version;
UPDATE ordering.outbox_lanes AS l
SET through = (SELECT max(position) FROM ordering.outbox AS o WHERE o.lane = l.lane);
SELECT setval('ordering.outbox_lane_' || lane, through) FROM ordering.outbox_lanes
\g /dev/null

INSERT INTO pharmacy.orders (order_id, version, missing, status, customer_name, ordered_at, cancel_reason, cancelled_at,
                             revision)
SELECT id, :version, 0, CASE WHEN n % 10 = 0 THEN 'cancelled' ELSE 'draft' END, 'Ada Lovelace', placed_at,
       CASE WHEN n % 10 = 0 THEN 'no need' END, CASE WHEN n % 10 = 0 THEN placed_at END, 1
FROM placed ORDER BY id;

INSERT INTO notification.notifications (event_id, channel, order_id, order_version, state, sent_at)
SELECT event_id, 'log', id, version, 'sent', placed_at
FROM events ORDER BY n, version;
CHECKPOINT;
