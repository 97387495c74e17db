"""Invoice runs that seal their numbers in a namespace of a real cluster."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

import kopf
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pieced_billing.invoicing.number import Counters
from pieced_billing.invoicing.sealed_numbers import sealed_numbers
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster as Client
from pieced_operator.published_numbers import PublishedNumbers
from tests import event_loops
from tests.books import MARCH
from tests.clusters import Cluster, ClusterFailed
from tests.commands import run_pieced
from tests.databases import Database

Result = TypeVar("Result")
KEY: Final = Ed25519PrivateKey.generate()
CONFIG_MAP: Final = ("get", "configmap", "pieced-invoice-numbers", "-o", "jsonpath={.data.seal}", "--ignore-not-found")


@dataclass(frozen=True)
class Seals:
    """A namespace with sealed numbers, and the key that signs them."""

    cluster: Cluster
    namespace: str
    key_file: Path

    def env(self, database: Database) -> dict[str, str]:
        return database.env() | {
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "PIECED_SEAL_KEY": str(self.key_file),
            "PIECED_SEAL_NAMESPACE": self.namespace,
        }

    def run(self, database: Database, month: object = MARCH, **env: str) -> tuple[int, str]:
        """An invoice run: exit status and what it said."""
        arguments = ("invoice", "run", "--month", str(month))
        done = run_pieced(*arguments, env=self.env(database) | env, check=False)
        return done.returncode, done.stdout + done.stderr

    def operator_may(self, verb: str) -> bool:
        """Whether the operator's user may do it with the ConfigMap: a role counts a moment after it was made."""
        question = ("auth", "can-i", verb, "configmaps", "--as=pieced-operator", "-n", self.namespace)
        try:
            return self.cluster.kubectl(*question).startswith("yes")
        except ClusterFailed:
            return False

    def publish(self, database: UUID, work: Callable[[PublishedNumbers], Awaitable[Result]]) -> Result:
        """Do something with the ConfigMap of a database as an administrator."""
        kubeconfig = yaml.safe_load(self.cluster.kubeconfig.read_text())
        at, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
        info = kopf.ConnectionInfo(server=at["server"], ca_data=at["certificate-authority-data"], token=user["token"])

        async def run() -> Result:
            async with Client(lambda: info, ApiClock()) as client:
                return await work(PublishedNumbers(client, self.namespace, KEY, database))

        return event_loops.run(run())

    def counters(self) -> Counters | None:
        """What is sealed, by its signature; None if nothing is."""
        line = self.cluster.kubectl("-n", self.namespace, *CONFIG_MAP)
        return sealed_numbers(line, KEY.public_key(), "it").counters if line else None

    def last(self) -> int | None:
        """The one number that is sealed; 0 if there is none yet."""
        counters = self.counters()
        return None if counters is None else next(iter(counters.values()), 0)


def seals_in(cluster: Cluster, namespace: str, folder: Path) -> Seals:
    """A new namespace, and the file of the key in a folder."""
    key_file = folder / "key.pem"
    key_file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    cluster.kubectl("create", "namespace", namespace)
    return Seals(cluster, namespace, key_file)
