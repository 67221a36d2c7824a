-- Deletes and changes random orders. Prints what reconcile must find: kind, read model, order id.
\set in_random_order 'ORDER BY md5(id::text)'
CREATE TABLE chosen AS
SELECT id, n % 10 = 0 AS cancelled, row_number() OVER (PARTITION BY n % 10 = 0 :in_random_order) AS rank FROM placed;

-- Each read model loses ten orders. Five of them are lost in both.
CREATE TABLE lost AS
SELECT id, rank <= 10 AS lost_by_pharmacy, rank > 5 AS lost_by_notification FROM chosen WHERE rank <= 15 AND NOT cancelled;
DELETE FROM pharmacy.orders USING lost WHERE order_id = lost.id AND lost_by_pharmacy
RETURNING 'missing', 'pharmacy', order_id;
WITH deleted AS (
    DELETE FROM notification.notifications USING lost WHERE order_id = lost.id AND lost_by_notification RETURNING order_id)
SELECT DISTINCT 'missing', 'notification', order_id FROM deleted;

-- For some cancelled orders, the read models have only the first event, or only the last.
UPDATE pharmacy.orders
SET version = 1, status = 'draft', cancel_reason = NULL, cancelled_at = NULL, work_status = 'draft'
FROM chosen WHERE order_id = chosen.id AND cancelled AND rank IN (1, 2)
RETURNING 'differing', 'pharmacy', order_id;
UPDATE pharmacy.orders SET missing = 1, customer_name = NULL, ordered_at = NULL
FROM chosen WHERE order_id = chosen.id AND cancelled AND rank = 3
RETURNING 'differing', 'pharmacy', order_id;
DELETE FROM notification.notifications USING chosen
WHERE order_id = chosen.id AND cancelled AND order_version = CASE rank WHEN 3 THEN 2 WHEN 4 THEN 1 END
RETURNING 'differing', 'notification', order_id;

-- Ordering loses three orders, and the cancellation of another one.
CREATE TABLE models AS SELECT unnest(ARRAY['pharmacy', 'notification']) AS model;
WITH deleted AS (
    DELETE FROM ordering.orders USING chosen WHERE orders.id = chosen.id AND NOT cancelled AND rank BETWEEN 21 AND 23
    RETURNING orders.id)
SELECT 'extra', model, id FROM deleted CROSS JOIN models;
WITH changed AS (
    UPDATE ordering.orders SET version = 1, status = 'created', cancel_reason = NULL, cancelled_at = NULL
    FROM chosen WHERE orders.id = chosen.id AND cancelled AND rank = 5
    RETURNING orders.id)
SELECT 'differing', model, id FROM changed CROSS JOIN models;

-- Three orders are missing but not lost: their events are not published yet. One of the events has failed before.
DELETE FROM pharmacy.orders USING chosen WHERE order_id = chosen.id AND NOT cancelled AND rank BETWEEN 31 AND 33;
DELETE FROM notification.notifications USING chosen WHERE order_id = chosen.id AND NOT cancelled AND rank BETWEEN 31 AND 33;
INSERT INTO ordering.outbox (lane, position, event_id, order_id, order_version, event_type, schema_fingerprint, payload,
                             headers, occurred_at)
SELECT 1, nextval('ordering.outbox_lane_1'), gen_random_uuid(), id, 1, 'OrderCreated', '', '', '{}', now()
FROM chosen WHERE NOT cancelled AND rank BETWEEN 31 AND 32;
INSERT INTO ordering.outbox_stragglers (lane, position, reason, order_id, attempts, retry_at, last_error)
SELECT lane, position, 'failed', order_id, 1, now() + interval '1 hour', 'busy'
FROM ordering.outbox JOIN chosen ON order_id = chosen.id AND NOT cancelled AND rank = 33;
