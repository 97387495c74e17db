"""Asking for a suspended tenant to be resumed, and answering: recorded in the database, done on the resource.

The record is made first and committed last: if the resource cannot be changed nothing is recorded, and if the commit is
lost the same command may be given again.
"""

import re
from datetime import datetime
from typing import Final

from pieced_billing import faults
from pieced_billing.errors import Refused
from pieced_billing.ledger.resume_requests import (
    Answer,
    NoResumePending,
    ResumePending,
    ResumeRequest,
    pending_request,
    record_answer,
    record_request,
)
from pieced_billing.store.connections import Connection
from pieced_operator import paths
from pieced_operator.api_errors import NotFound
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.desired.suspension import is_of_suspension, tracked_by_argo_cd
from pieced_operator.instants import second_text
from pieced_operator.names import (
    API_VERSION,
    FIELD_MANAGER,
    RESUME_REJECTED_ANNOTATION,
    RESUME_REQUESTED_ANNOTATION,
    TENANT_KIND,
)
from pieced_operator.tenant import Tenant, decode_tenant

_WHO: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_NAME: Final = re.compile(r"[a-z0-9][-a-z0-9.]*")


class NoTenant(Refused):
    """The cluster has no tenant of this name."""

    code = "no_tenant"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no tenant {name!r} in this cluster.")


class NotSuspended(Refused):
    """There is nothing to resume."""

    code = "not_suspended"

    def __init__(self, name: str, *, leaving: bool) -> None:
        super().__init__(f"Tenant {name} is {'being deleted' if leaving else 'not suspended'}.")


async def whoami(cluster: Cluster) -> str:
    """The user that the API server takes us for."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = await cluster.create(_WHO, review)
    return str(answer["status"]["userInfo"]["username"])


async def request_resume(
    cluster: Cluster, connection: Connection, name: str, actor: str, note: str | None
) -> ResumeRequest:
    """Record a request and hold the tenant's deletion for as long as it is open.

    Raises NoTenant, NotSuspended, and ResumePending: then the deletion is held all the same.
    """
    tenant = await _tenant(cluster, name)
    if not tenant.spec.suspend or tenant.deletion_started_at is not None:
        raise NotSuspended(name, leaving=tenant.deletion_started_at is not None)
    with connection.transaction():
        _let_lapse(connection, tenant)
        try:
            request = record_request(connection, tenant.uid, name, actor, note)
        except ResumePending:
            pending = pending_request(connection, tenant.uid)
            assert pending is not None
            await _hold(cluster, tenant, pending)
            raise
        await _hold(cluster, tenant, request)
    return request


async def approve_resume(
    cluster: Cluster, connection: Connection, name: str, actor: str, note: str | None
) -> Resource | None:
    """Record that a request is granted and resume the tenant.

    Where Argo CD tracks the tenant nothing of it is changed; what has to be in Git is returned. Raises NoTenant,
    NoResumePending and, when the tenant is being deleted, NotSuspended.
    """
    tenant = await _tenant(cluster, name)
    if tenant.deletion_started_at is not None:
        raise NotSuspended(name, leaving=True)
    with connection.transaction():
        _answer(connection, tenant, Answer.APPROVED, actor, note)
        if tracked_by_argo_cd(tenant):
            return {
                "apiVersion": API_VERSION,
                "kind": TENANT_KIND,
                "metadata": {"name": name},
                "spec": {"suspend": False},
            }
        await _patch(cluster, tenant, {RESUME_REQUESTED_ANNOTATION: None}, spec={"suspend": False})
    return None


async def reject_resume(cluster: Cluster, connection: Connection, name: str, actor: str, note: str | None) -> None:
    """Record that a request is not granted and let the time until the deletion go on.

    Raises NoTenant and NoResumePending.
    """
    tenant = await _tenant(cluster, name)
    with connection.transaction():
        at = _answer(connection, tenant, Answer.REJECTED, actor, note)
        annotations = {RESUME_REQUESTED_ANNOTATION: None, RESUME_REJECTED_ANNOTATION: second_text(at)}
        await _patch(cluster, tenant, annotations)


def _let_lapse(connection: Connection, tenant: Tenant) -> None:
    """Close a request of an earlier suspension: the tenant was resumed without anybody answering it."""
    pending, suspended_at = pending_request(connection, tenant.uid), tenant.status.suspended_at
    if pending is None or suspended_at is None or is_of_suspension(pending.requested_at, suspended_at):
        return
    record_answer(connection, pending, Answer.LAPSED, FIELD_MANAGER, None)


def _answer(connection: Connection, tenant: Tenant, answer: Answer, actor: str, note: str | None) -> datetime:
    request = pending_request(connection, tenant.uid)
    if request is None:
        raise NoResumePending(tenant.name)
    return record_answer(connection, request, answer, actor, note)


async def _tenant(cluster: Cluster, name: str) -> Tenant:
    if not _NAME.fullmatch(name):  # it would lead to something else than a tenant
        raise NoTenant(name)
    try:
        return decode_tenant(await cluster.get(paths.tenant(name)))
    except NotFound:
        raise NoTenant(name) from None


async def _hold(cluster: Cluster, tenant: Tenant, request: ResumeRequest) -> None:
    await _patch(cluster, tenant, {RESUME_REQUESTED_ANNOTATION: second_text(request.requested_at)})


async def _patch(
    cluster: Cluster, tenant: Tenant, annotations: dict[str, str | None], spec: dict[str, bool] | None = None
) -> None:
    """Change exactly this tenant: another one of its name is a conflict."""
    body: Resource = {"metadata": {"uid": tenant.uid, "annotations": annotations}}
    faults.point("resume.before_change")
    await cluster.merge(paths.tenant(tenant.name), body | ({} if spec is None else {"spec": spec}))
    faults.point("resume.after_change")
