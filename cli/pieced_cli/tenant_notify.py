"""`pieced tenant notify`: organisations are told by e-mail that a suspended tenant's data is deleted soon."""

import os
import time
from datetime import datetime

from pieced_billing.mail.outbox import MailKind
from pieced_billing.mail.retention_letter import Deletion
from pieced_billing.mail.retention_mails import choose_due, retention_composer
from pieced_billing.mail.settings import smtp_settings
from pieced_billing.mail.smtp import SmtpServer
from pieced_cli.database import database
from pieced_cli.kubernetes import with_cluster
from pieced_cli.mailing import Mailing
from pieced_cli.output import Format
from pieced_operator import paths
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.desired.suspension import Retention
from pieced_operator.schema import ResourceInvalid
from pieced_operator.tenant import decode_tenant


def notify(output: Format, *, dry_run: bool) -> None:
    """Send every announcement that is due, once; raises what the cluster, the database and the mail server raise."""
    settings = None if dry_run else smtp_settings(os.environ)
    with database() as connection:
        connection.rollback()  # no transaction is open while the cluster is read
        deletions = with_cluster(announced_deletions)
        with connection.transaction(force_rollback=dry_run):
            entries, announced = choose_due(connection, deletions)
        mailing = Mailing(MailKind.RETENTION, dry_run=dry_run, with_earlier=True)
        if settings is None or not entries:
            mailing.foresee(entries)
            mailing.end(connection, output)
            return
        with connection.transaction():
            compose = retention_composer(connection, announced)
        with mailing.told_at_the_end(connection, output), SmtpServer(settings) as server:
            mailing.send(connection, entries, compose, server)


async def announced_deletions(cluster: Cluster) -> list[Deletion]:
    """What the operator says is to be deleted within the days of an announcement. Raises ApiRefused and Unavailable."""
    tenants = [resource async for page in cluster.pages(paths.TENANTS) for resource in page.items]
    now = cluster.clock.latest(time.monotonic())
    return [deletion for resource in tenants if (deletion := announced_deletion(resource, now)) is not None]


def announced_deletion(resource: Resource, now: datetime) -> Deletion | None:
    """The latest announcement that is due of a tenant's deletion; None where there is none, or it was resumed."""
    if not (resource.get("status") or {}).get("deletionDueAt") or "deletionTimestamp" in resource["metadata"]:
        return None
    try:
        tenant = decode_tenant(resource)
    except ResourceInvalid:
        return None
    status = tenant.status
    if not tenant.spec.suspend or not (status.organisation and status.suspended_at and status.deletion_due_at):
        return None
    days = Retention(status.suspended_at, status.deletion_due_at, None).announced_days(now)
    if days is None or status.deletion_due_at <= now:
        return None
    return Deletion(
        uid=tenant.uid,
        tenant=tenant.name,
        display_name=tenant.spec.display_name,
        org=status.organisation,
        suspended_at=status.suspended_at,
        due_at=status.deletion_due_at,
        days=days,
    )
