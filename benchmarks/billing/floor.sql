-- What every organisation owes for March 2026, straight from the ledger and written for this benchmark's prices alone:
-- no documents, no warnings, no adjustments. It is what the same totals cost at least, and says that they are right.
WITH days AS MATERIALIZED (
    SELECT day::date AS on_day, tstzrange(day AT TIME ZONE 'Europe/Zurich',
                                          (day + interval '1 day') AT TIME ZONE 'Europe/Zurich') AS hours
    FROM generate_series(timestamp '2026-03-01', '2026-03-31', '1 day') AS day
), month AS MATERIALIZED (
    SELECT range_merge(range_agg(hours)) AS hours FROM days
), tenants AS MATERIALIZED (
    SELECT tenant_uid, zitadel_org_id, tstzrange(created_at, deleted_at) AS life
    FROM tenant_billing_lifecycle
), suspended AS (
    SELECT tenant_uid, range_agg(tstzrange(occurred_at, until)) AS pauses
    FROM (SELECT tenant_uid, event_kind, occurred_at,
                 lead(occurred_at) OVER (PARTITION BY tenant_uid ORDER BY occurred_at, seq) AS until
          FROM tenant_suspension_events) AS switch
    WHERE event_kind = 'suspended' GROUP BY tenant_uid
), active AS MATERIALIZED (
    SELECT tenant_uid, zitadel_org_id,
           tstzmultirange(life) - coalesce(pauses, '{}'::tstzmultirange) AS hours
    FROM tenants LEFT JOIN suspended USING (tenant_uid)
), enabled AS (
    SELECT tenant_uid, skill_id, range_agg(tstzrange(occurred_at, until)) AS hours
    FROM (SELECT tenant_uid, skill_id, event_kind, occurred_at,
                 lead(occurred_at) OVER (PARTITION BY tenant_uid, skill_id ORDER BY occurred_at, seq) AS until
          FROM tenant_skill_events) AS switch
    WHERE event_kind = 'enabled' GROUP BY tenant_uid, skill_id
), billable AS MATERIALIZED (
    SELECT tenant_uid, zitadel_org_id, skill_id, enabled.hours * active.hours AS hours
    FROM enabled JOIN active USING (tenant_uid)
), used AS (
    SELECT tenant_uid, meter, sum(quantity) AS quantity
    FROM usage_records CROSS JOIN month WHERE occurred_at <@ month.hours GROUP BY tenant_uid, meter
), lines AS (
    SELECT zitadel_org_id, 99.00 AS amount FROM active CROSS JOIN month WHERE lower(active.hours) <@ month.hours
    UNION ALL
    SELECT zitadel_org_id, round(49.90 * count(*) / 31, 2) FROM active JOIN days ON active.hours && days.hours
    GROUP BY tenant_uid, zitadel_org_id
    UNION ALL
    SELECT zitadel_org_id, 5.00 FROM billable CROSS JOIN month WHERE lower(billable.hours) <@ month.hours
    UNION ALL
    SELECT zitadel_org_id, round(CASE skill_id WHEN 'search' THEN 0.10 ELSE 0.25 END * count(*), 2)
    FROM billable JOIN days ON billable.hours && days.hours GROUP BY tenant_uid, zitadel_org_id, skill_id
    UNION ALL
    SELECT zitadel_org_id, round(CASE meter WHEN 'llm_spend' THEN 1 ELSE 0.005 END * quantity, 2)
    FROM used JOIN tenants USING (tenant_uid)
), nets AS (
    SELECT zitadel_org_id, sum(amount) AS net FROM lines GROUP BY zitadel_org_id
)
SELECT zitadel_org_id, net, net + round(net * 8.1 / 100, 2) AS gross FROM nets
