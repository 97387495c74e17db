"""`pieced ledger seal`: the heads and the seal into a file, the seal into the cluster too."""

from pathlib import Path

from pieced_billing.errors import Refused, Unavailable
from pieced_billing.ledger.seal_keys import private_key
from pieced_billing.ledger.sealing import Sealed, seal_ledger
from pieced_cli.database import database
from pieced_cli.kubernetes import with_cluster
from pieced_operator.published_seal import publish_seal, read_seal


class NotPublished(Refused):
    """The file has a new seal, and the cluster the one before."""

    code = "seal_not_published"


def run_seal(seal_key: Path, file: Path, namespace: str) -> None:
    """Seal into a file, publish the seal and say so.

    Publishing comes last: a seal that was published without its file could not be compared with.
    """
    key = private_key(seal_key)
    published = with_cluster(lambda cluster: read_seal(cluster, namespace, key.public_key()))
    with database() as connection:
        sealed = seal_ledger(connection, key, file, published)
    try:
        with_cluster(lambda cluster: publish_seal(cluster, namespace, sealed.line))
    except (Refused, Unavailable) as error:
        raise NotPublished(f"{file} has a new seal that is not published: {error} Seal once more.") from error
    print(_summary(sealed))


def _summary(sealed: Sealed) -> str:
    seal = sealed.seal
    said = f"Sealed {seal.rows} rows of {seal.tenants} tenants at {seal.sealed_at}."
    if sealed.before is None:
        return f"{said} It is the first: there was none to compare with."
    if sealed.file_lost:
        published_at = sealed.before.sealed_at
        return f"{said} There was no file of the one before; the ledger leads to what was published at {published_at}."
    return said
