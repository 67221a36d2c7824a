-- What storing an order needs at least: its row and the row of its event, in one transaction.
\set lane random(0, 15)
BEGIN;
INSERT INTO ordering.orders (id, customer_name, items, status, version, created_at)
VALUES ((lpad(to_hex((1000 * extract(epoch FROM clock_timestamp()))::bigint), 12, '0') || substr(md5(random()::text), 1, 20))::uuid,
        'Ada Lovelace', '[{"productId": 1, "quantity": 2}]', 'created', 1, now());
INSERT INTO ordering.outbox (lane, position, event_id, order_id, order_version, event_type, schema_fingerprint, payload,
                             headers, occurred_at)
VALUES ((:lane)::smallint, nextval(('ordering.outbox_lane_' || (:lane)::integer)::regclass), gen_random_uuid(), gen_random_uuid(), 1, 'OrderCreated',
        '\x0123456789abcdef', decode(repeat('00', 60), 'hex'),
        '{"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"}', now());
COMMIT;
