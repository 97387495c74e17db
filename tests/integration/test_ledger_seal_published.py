"""`pieced ledger seal` with the rights of its CronJob: what is published proves the file, and needs nothing of ours."""

import json
import re
import signal
import subprocess
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.store.connections import connect
from tests.chained import SEAL_KEY, bring, fill, private_key_file, usage
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import Database
from tests.fault_points import points_of

PAGE = (Path(__file__).parents[2] / "docs/operations.md").read_text()


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    """A database with something in every table, and beside it the private key."""
    fill(database)
    private_key_file(tmp_path)
    return database


@pytest.fixture
def kubeconfig(cluster: Cluster, nothing_sealed: None, tmp_path: Path) -> Path:
    """Of the service account of the CronJob."""
    token = cluster.kubectl("-n", "pieced-system", "create", "token", "pieced-ledger-seal")
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def seal(
    database: Database, kubeconfig: Path, folder: Path, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    files = ("--seal-key", str(folder / "private.pem"), "--file", str(folder / "ledger.jsonl"))
    env = database.env() | {"KUBECONFIG": str(kubeconfig)} | environment
    return run_pieced("ledger", "seal", *files, *options, env=env, check=False)


def published(cluster: Cluster) -> str:
    """What the ConfigMap has."""
    answer = cluster.kubectl("-n", "pieced-seals", "get", "configmap", "pieced-ledger-seal", "-o", "json")
    data: dict[str, str] = json.loads(answer)["data"]
    assert list(data) == ["seal"]
    return data["seal"]


def believed(line: str) -> dict[str, str]:
    """The statement of a line, if the key signed it: nothing of ours is asked."""
    entry = json.loads(line)
    statement: dict[str, str] = entry["statement"]
    signed = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    SEAL_KEY.public_key().verify(b64decode(entry["signature"]), signed.encode())
    return statement


def is_the_newest(cluster: Cluster, folder: Path) -> str:
    """What the command of the documentation prints for the file `ledger.jsonl` of a folder."""
    (command,) = re.findall(r"^```sh\n(\[ .*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=cluster.environment(), capture_output=True, text=True, check=False
    )
    return done.stdout


def test_what_is_published_proves_the_file_and_the_next_seal_replaces_it(
    filled: Database, kubeconfig: Path, cluster: Cluster, tmp_path: Path
) -> None:
    done = seal(filled, kubeconfig, tmp_path)
    *heads, line = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    assert published(cluster) == line.decode()
    first = believed(published(cluster))
    assert first["heads_sha256"] == sha256(b"".join(heads)).hexdigest()
    assert (first["kind"], int(first["tenants"])) == ("ledger_seal", len(heads))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"Sealed {first['rows']} rows of {first['tenants']} tenants at {first['sealed_at']}. It is the first: there "
        "was none to compare with.\n"
    )
    assert is_the_newest(cluster, tmp_path) == "the newest seal\n"

    older = tmp_path / "older"
    older.mkdir()
    (older / "ledger.jsonl").write_bytes((tmp_path / "ledger.jsonl").read_bytes())
    with connect(filled.url) as connection:
        bring(connection, [usage("u1", "new")])
    done = seal(filled, kubeconfig, tmp_path)
    second = believed(published(cluster))
    assert done.stdout == f"Sealed {second['rows']} rows of {second['tenants']} tenants at {second['sealed_at']}.\n"
    assert int(second["rows"]) == int(first["rows"]) + 1
    assert is_the_newest(cluster, tmp_path) == "the newest seal\n"
    assert is_the_newest(cluster, older) == ""

    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "private.pem").write_bytes(other)
    (tmp_path / "ledger.jsonl").unlink()
    refused = seal(filled, kubeconfig, tmp_path)
    assert refused.stderr.startswith(
        "pieced: The ConfigMap pieced-seals/pieced-ledger-seal is not signed with this key"
    )
    assert believed(published(cluster)) == second


@pytest.mark.parametrize("point", points_of(__file__))
def test_a_seal_that_dies_leaves_a_whole_file_and_the_next_replaces_both(
    filled: Database, kubeconfig: Path, cluster: Cluster, tmp_path: Path, point: str
) -> None:
    assert seal(filled, kubeconfig, tmp_path).returncode == 0
    before = (tmp_path / "ledger.jsonl").read_bytes()
    with connect(filled.url) as connection:
        bring(connection, [usage("u1", point)])
    died = seal(filled, kubeconfig, tmp_path, PIECED_FAULT=point)
    assert died.returncode == -signal.SIGKILL
    after = (tmp_path / "ledger.jsonl").read_bytes()
    assert after != before
    assert SealFile.open(tmp_path / "ledger.jsonl", SEAL_KEY.public_key()).seal.rows > 20
    assert published(cluster).encode() in (before if point == "seal.before_publish" else after)
    assert seal(filled, kubeconfig, tmp_path).returncode == 0
    assert is_the_newest(cluster, tmp_path) == "the newest seal\n"


def test_the_job_that_copies_the_file_has_its_volume_and_does_nothing(cluster: Cluster, sealing_rights: None) -> None:
    """No pod runs here: that the file then comes out is kubectl's to do."""
    built = yaml.safe_load_all(cluster.kubectl("kustomize", "manifests/sealing"))
    (verify,) = [one for one in built if one["metadata"]["name"] == "pieced-ledger-verify" and one["kind"] == "CronJob"]
    cluster.kubectl("create", "-f", "-", stdin=yaml.safe_dump(verify))
    (command,) = re.findall(
        r"^kubectl -n pieced-system create job copy-seal .*?create -f -$", PAGE, re.MULTILINE | re.DOTALL
    )
    subprocess.run(["sh", "-eu", "-c", command], env=cluster.environment(), capture_output=True, check=True)
    job = json.loads(cluster.kubectl("-n", "pieced-system", "get", "job", "copy-seal", "-o", "json"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert (container["command"], "args" in container) == (["sleep", "600"], False)
    assert {"name": "seals", "mountPath": "/seals", "readOnly": True} in container["volumeMounts"]
    cluster.kubectl("-n", "pieced-system", "delete", "job/copy-seal", "cronjob/pieced-ledger-verify")


def test_without_the_namespace_nothing_is_published(filled: Database, cluster: Cluster, tmp_path: Path) -> None:
    refused = seal(filled, cluster.kubeconfig, tmp_path, "--seal-namespace", "no-such-seals")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"pieced: {tmp_path / 'ledger.jsonl'} has a new seal that is not published: There is no namespace no-such-seals"
        " for seals; make it, or name another one. Seal once more.\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.jsonl", "private.pem"]


def test_without_the_right_nothing_is_sealed(filled: Database, kubeconfig: Path, tmp_path: Path) -> None:
    refused = seal(filled, kubeconfig, tmp_path, "--seal-namespace", "default")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("pieced: The API server refuses: configmaps")
    assert not (tmp_path / "ledger.jsonl").exists()
