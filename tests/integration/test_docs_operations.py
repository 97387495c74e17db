"""Installing and uninstalling by the very commands of docs/operations.md, on a cluster of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from pieced_local import cluster as local_cluster
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import Database

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/operations.md").read_text()


def commands(section: str) -> list[str]:
    """The shell blocks between a heading and the next one."""
    text = PAGE.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def shell(cluster: Cluster, script: str) -> None:
    env = cluster.environment()
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(900)  # a busy machine takes its time
def test_install_and_uninstall_as_documented(worker_state: Path) -> None:
    tenant = {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedTenant",
        "metadata": {"name": "acme", "labels": {"pieced.ch/org-id": "310001"}, "finalizers": ["pieced.ch/billing"]},
        "spec": {"displayName": "Acme AG"},
    }
    with local_cluster.running(worker_state / "documented") as cluster:
        shell(cluster, commands("Install")[0])
        cluster.kubectl("-n", "pieced-system", "rollout", "status", "deployment/pieced-operator", "--timeout=120s")
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *local_cluster.KINDS)
        cluster.kubectl("create", "-f", "-", stdin=yaml.safe_dump(tenant))

        shell(cluster, commands("Uninstall")[0])

        cluster.kubectl("wait", "--for=delete", "--timeout=60s", *local_cluster.KINDS)
        cluster.kubectl("wait", "--for=delete", "--timeout=60s", "namespace/pieced-system")
        assert "pieced" not in cluster.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")


def test_the_applications_password_may_come_in_a_variable_of_its_own(empty_database: Database) -> None:
    """As in manifests/overlays/production: the password is a Secret's, the URL is plain text."""
    url = urlsplit(empty_database.url)
    assert url.password
    plain = url._replace(netloc=f"{url.username}@{url.hostname}:{url.port}").geturl()
    env = {"DATABASE_URL": plain, "PGPASSWORD": url.password}
    run_pieced("db", "upgrade", env=env | {"PIECED_OWNER_URL": empty_database.owner_url})
    applied = run_pieced("price", "apply", "-f", str(PROJECT / "docs/examples/prices.yaml"), env=env)
    assert "tenant_monthly_fee_chf" in applied.stdout
