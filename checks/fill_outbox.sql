-- Stores :events events in the outbox. Their contents come from the one event in the table `sample`.
INSERT INTO ordering.outbox (lane, position, event_id, order_id, order_version, event_type, schema_fingerprint,
                             payload, headers, occurred_at)
SELECT number % 16, nextval('ordering.outbox_lane_' || number % 16), gen_random_uuid(), gen_random_uuid(), 1,
       event_type, schema_fingerprint, payload, headers, occurred_at
FROM generate_series(1, :events) AS number CROSS JOIN sample;
