-- What a tenant's resource adds to the ledger: compared with its row under a lock, in one statement. Nothing is added twice.
-- $1 cluster id, $2 uid, $3 name, $4 organisation, $5 created at, $6 generation, $7 suspended, $8 packages, $9 deleted at
WITH before AS (
    SELECT generation, suspended, packages, last_seq, deleted_at
    FROM tenant_billing_lifecycle WHERE tenant_uid = $2 FOR UPDATE
), known AS (
    SELECT before.generation IS NULL AS is_new, coalesce(before.suspended, false) AS suspended,
           coalesce(before.packages, '{}') AS packages, coalesce(before.last_seq, 0) AS last_seq, before.deleted_at
    FROM (SELECT) AS one LEFT JOIN before ON true
), news AS (
    SELECT 1 AS place, 'created' AS kind, NULL AS package FROM known WHERE is_new
    UNION ALL SELECT 2, 'enabled', package FROM known, unnest($8::text[]) AS package WHERE package <> ALL (packages)
    UNION ALL SELECT 3, 'disabled', package FROM known, unnest(packages) AS package WHERE package <> ALL ($8::text[])
    UNION ALL SELECT 4, CASE WHEN $7 THEN 'suspended' ELSE 'resumed' END, NULL FROM known WHERE suspended <> $7
    UNION ALL SELECT 5, 'deleted', NULL FROM known WHERE deleted_at IS NULL AND $9::timestamptz IS NOT NULL
), events AS (
    SELECT kind, package, last_seq + row_number() OVER (ORDER BY place, package) AS seq,
           CASE kind WHEN 'created' THEN $5::timestamptz WHEN 'deleted' THEN $9 ELSE clock_timestamp() END AS at
    FROM news, known
), lives AS (
    INSERT INTO tenant_lifecycle_events (cluster_id, tenant_uid, tenant_name, zitadel_org_id, seq, event_kind,
                                         occurred_at, quality, source, generation)
    SELECT $1, $2, $3, $4, seq, kind, at, 'exact', 'watch', $6::bigint FROM events WHERE kind IN ('created', 'deleted')
), switches AS (
    INSERT INTO tenant_skill_events (cluster_id, tenant_uid, tenant_name, zitadel_org_id, seq, skill_id, event_kind,
                                     occurred_at, quality, source, generation)
    SELECT $1, $2, $3, $4, seq, package, kind, at, 'exact', 'watch', $6 FROM events WHERE package IS NOT NULL
), suspensions AS (
    INSERT INTO tenant_suspension_events (cluster_id, tenant_uid, tenant_name, zitadel_org_id, seq, event_kind,
                                          occurred_at, quality, source, generation)
    SELECT $1, $2, $3, $4, seq, kind, at, 'exact', 'watch', $6 FROM events WHERE kind IN ('suspended', 'resumed')
)
INSERT INTO tenant_billing_lifecycle AS row (cluster_id, tenant_uid, tenant_name, zitadel_org_id, created_at, deleted_at,
                                             generation, last_seq, last_event_at, confirmed_at, suspended, packages)
SELECT $1, $2, $3, $4, $5, $9, $6, last_seq + (SELECT count(*) FROM events), clock_timestamp(), clock_timestamp(), $7, $8
FROM known
ON CONFLICT (tenant_uid) DO UPDATE SET
    deleted_at = excluded.deleted_at, generation = excluded.generation, last_seq = excluded.last_seq,
    last_event_at = excluded.last_event_at, confirmed_at = excluded.confirmed_at, suspended = excluded.suspended,
    packages = excluded.packages
