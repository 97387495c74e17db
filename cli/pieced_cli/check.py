"""`pieced ledger check`: whether the ledger, the cluster's tenants and what runs agree."""

import os
import sys

from pieced_billing.ledger.checks import save_check
from pieced_billing.ledger.discrepancy import Discrepancy
from pieced_billing.store.connections import session, urls
from pieced_cli.kubernetes import with_cluster
from pieced_cli.output import Format, Table, show
from pieced_operator.cluster import Cluster
from pieced_operator.ledger_check import Checked, check, repair
from pieced_operator.logs import configure_logs
from pieced_operator.settings import org_label

_COLUMNS = ("tenant", "uid", "kind", "what", "to_do")


def run_check(*, with_repair: bool, output: Format) -> bool:
    """Check, repair and check again if that is wanted, keep the result and print it; returns whether all agrees."""
    url = urls(os.environ).application
    configure_logs()
    found, refused, left = with_cluster(lambda cluster: _work(cluster, url, with_repair=with_repair))
    with session(url) as connection:
        save_check(connection, left.cluster_id, left.discrepancies)
    for reason in refused:
        print(f"pieced: {reason}", file=sys.stderr)
    _print([one for one in found.discrepancies if one not in left.discrepancies], left, output)
    return not left.discrepancies


async def _work(cluster: Cluster, url: str, *, with_repair: bool) -> tuple[Checked, list[str], Checked]:
    """What was found, what a repair refused, and what is left."""
    label = org_label(os.environ)
    found = await check(cluster, url, label)
    if not (with_repair and found.discrepancies):
        return found, [], found
    refused = await repair(cluster, url, label, {one.uid for one in found.discrepancies})
    return found, refused, await check(cluster, url, label)


def _print(repaired: list[Discrepancy], left: Checked, output: Format) -> None:
    document = {
        "cluster": left.cluster_id,
        "tenants": left.tenants,
        "repaired": [one.document() for one in repaired],
        "findings": [one.document() for one in left.discrepancies],
    }
    if output is not Format.TABLE:
        show(document, Table((), ()), output)
        return
    if repaired:
        print(f"Repaired: {', '.join(sorted(f'{one.kind} of {one.tenant}' for one in repaired))}.")
    if not left.discrepancies:
        print(f"Ledger, cluster and what runs agree: {left.tenants} tenant{'' if left.tenants == 1 else 's'}.")
        return
    rows = [[one.document()[name] for name in _COLUMNS] for one in left.discrepancies]
    show(document, Table(_COLUMNS, rows), output)
