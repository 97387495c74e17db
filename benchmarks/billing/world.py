"""What is measured in: a PostgreSQL that keeps its promises (fsync on), and commands run as their users run them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.billing.cost import Cost, cost_of
from benchmarks.billing.histories import PRICES
from pieced_billing.ledger.chain import LINKED
from pieced_local import places
from pieced_local.postgres import installation, server
from tests.commands import PIECED, clean_environment, run_pieced
from tests.folders import worker_folder

SETTINGS = server.DURABLE | {"shared_buffers": "2GB", "max_wal_size": "4GB"}
"""What docs/operations.md says a server of ten million records a month should have."""

_UPGRADED = "upgraded"
_ISSUERS = places.PROJECT / "samples" / "issuers.yaml"
_FILLED = ("tenant_billing_lifecycle", "ledger_chains", *LINKED)


@dataclass(frozen=True)
class World:
    """A running server, the process that is its postmaster, and a folder for files to import."""

    postgres: server.Server
    postmaster: int
    folder: Path

    def environment(self, database: str) -> dict[str, str]:
        """What a command needs to use a database."""
        return clean_environment() | {
            "DATABASE_URL": self.url(database),
            "PIECED_OWNER_URL": self.postgres.url(server.OWNER, database),
        }

    def url(self, database: str) -> str:
        """A database as the application's role."""
        return self.postgres.url(server.APPLICATION, database)

    def cost(self, database: str, *arguments: str) -> Cost:
        """Run `pieced ARGUMENTS` to its good end and measure it."""
        return cost_of([str(PIECED), *arguments], self.environment(database), self.postmaster)

    @contextmanager
    def database(self, name: str, like: str = _UPGRADED) -> Iterator[str]:
        """A database with tables and prices, or a copy of another one, dropped afterwards."""
        self.postgres.create_database(name, like)
        try:
            yield name
        finally:
            self.postgres.drop_database(name)

    def settle(self, database: str, tables: Sequence[str] = _FILLED) -> None:
        """Do at once what the server would do in the background within a minute, in the middle of what comes next."""
        with psycopg.connect(self.postgres.url(server.SUPERUSER, database), autocommit=True) as connection:
            connection.execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
            connection.execute("CHECKPOINT")

    def forget_vat_number(self, database: str) -> None:
        """Have invoices issued by one without a VAT number, so that they have no e-invoice (EN 16931 demands it)."""
        said = _ISSUERS.read_text().splitlines(keepends=True)
        without = "".join(line for line in said if not line.strip().startswith("vat_number:"))
        run_pieced("issuer", "apply", "-f", "-", env=self.environment(database), stdin=without)

    def configure_organisations(self, database: str) -> None:
        """Give every organisation of the ledger an address."""
        with psycopg.connect(self.url(database)) as connection:
            connection.execute(
                "INSERT INTO org_billing_config (zitadel_org_id, name, country, street, postcode, town)"
                " SELECT DISTINCT zitadel_org_id, 'Customer AG', 'CH', 'Bahnhofstrasse', '8001', 'Zürich'"
                " FROM tenant_billing_lifecycle"
            )


@contextmanager
def running_world() -> Iterator[World]:
    """A server with one database that has tables and prices, to be cloned."""
    with worker_folder() as folder:
        data = folder / "postgres"
        with server.running(installation.embedded(), data, SETTINGS) as postgres:
            postmaster = int((data / "data" / "postmaster.pid").read_text().split()[0])
            world = World(postgres, postmaster, folder)
            postgres.create_database(_UPGRADED)
            environment = world.environment(_UPGRADED)
            run_pieced("db", "upgrade", env=environment)
            run_pieced("price", "apply", "-f", "-", env=environment, stdin=PRICES)
            run_pieced("issuer", "apply", "-f", str(_ISSUERS), env=environment)
            yield world
