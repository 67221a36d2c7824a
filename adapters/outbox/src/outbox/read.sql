-- Stragglers, with their rows if they have one.
SELECT 'straggler' AS "kind!", lane AS "lane!", position AS "position!", NULL::bigint AS last, attempts, late, proved, in_claim,
       NULL::boolean AS may_skip_gap, NULL::boolean AS dead,
       event_id, order_id, order_version, event_type, schema_fingerprint,
       CASE WHEN in_claim THEN payload END AS payload,
       headers AS "headers: Json<HashMap<String, String>>", occurred_at
FROM (
    -- in_claim: it is due, waits for no earlier one, and the ones before it do not reach the limits.
    SELECT *, coalesce(due AND NOT blocked AND count(*) FILTER (WHERE due AND NOT blocked) OVER earlier < $3
                       AND coalesce(sum(size) FILTER (WHERE due AND NOT blocked) OVER earlier, 0) < $4,
                       false) AS in_claim
    FROM (
        -- blocked: an earlier straggler of the same aggregate is not due.
        SELECT *, coalesce(bool_or(NOT due) OVER (PARTITION BY lane, order_id ORDER BY position
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS blocked
        FROM (
            -- proved: all transactions that could insert its row have ended.
            SELECT s.lane, s.position, s.attempts, s.reason = 'late' AS late,
                   coalesce(s.horizon <= pg_snapshot_xmin(pg_current_snapshot()), false) AS proved,
                   o.event_id IS NOT NULL
                       AND (s.retry_at <= now() OR s.retry_at > now() + interval '6 minutes'
                            OR s.reason = 'late') AS due,
                   octet_length(o.payload) AS size,
                   o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint,
                   o.payload, o.headers, o.occurred_at
            FROM outbox_stragglers AS s
            LEFT JOIN outbox AS o USING (lane, position)
            WHERE s.lane = ANY ($1)
        ) AS straggler
    ) AS straggler
    WINDOW earlier AS (PARTITION BY lane ORDER BY position
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS straggler
UNION ALL
-- Wide gaps: position is the first position, last is the last one.
SELECT 'gap', lane, first_position, last_position, NULL, NULL,
       coalesce(horizon <= pg_snapshot_xmin(pg_current_snapshot()), false), NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM outbox_gaps
WHERE lane = ANY ($1)
UNION ALL
-- Rows in these gaps, up to the cursor and within the limits.
SELECT 'gap record', lane, position, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       event_id, order_id, order_version, event_type, schema_fingerprint, payload, headers, occurred_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY lane ORDER BY position) AS number,
           sum(octet_length(payload)) OVER (PARTITION BY lane ORDER BY position
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT o.*
        FROM unnest($1::smallint[], $2::bigint[]) AS l (lane, through)
        JOIN outbox_gaps AS g USING (lane)
        CROSS JOIN LATERAL (
            SELECT * FROM outbox AS o
            WHERE o.lane = g.lane
              AND o.position BETWEEN g.first_position AND least(g.last_position, l.through)
              AND NOT EXISTS (SELECT FROM outbox_stragglers AS s
                              WHERE s.lane = o.lane AND s.position = o.position)
              AND NOT EXISTS (SELECT FROM outbox_dead_letters AS d
                              WHERE d.lane = o.lane AND d.position = o.position)
            ORDER BY o.position LIMIT $3
        ) AS o
    ) AS gap_record
) AS gap_record
WHERE number <= $3 AND coalesce(before, 0) < $4
UNION ALL
-- Rows above the cursor, within the limits. One that was recorded in the future (the clock was ahead)
-- counts as old: the cursor may move past a gap before it.
SELECT 'new', o.lane, o.position, NULL, NULL, NULL, NULL, NULL,
       o.recorded_at <= now() - interval '50 milliseconds'
           OR o.recorded_at > now() + interval '1 second',
       d.position IS NOT NULL,
       o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint, o.payload,
       o.headers, o.occurred_at
FROM unnest($1::smallint[], $2::bigint[]) AS l (lane, through)
CROSS JOIN LATERAL (
    SELECT *, sum(octet_length(o.payload)) OVER (
                  ORDER BY o.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT * FROM outbox AS o
        WHERE o.lane = l.lane AND o.position > l.through ORDER BY o.position LIMIT $3
    ) AS o
) AS o
LEFT JOIN outbox_dead_letters AS d ON d.lane = o.lane AND d.position = o.position
WHERE coalesce(o.before, 0) < $4
