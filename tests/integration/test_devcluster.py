"""The control plane, tested from outside by the Go tests of `devcluster/acceptance`, each a test here."""

import re
from pathlib import Path

import pytest

from pieced_local import controlplane
from pieced_local.places import go_environment
from pieced_local.progress import run_with_progress

ACCEPTANCE = controlplane.MODULE / "acceptance"
TESTS = re.findall(r"^func (Test\w+)\(", (ACCEPTANCE / "acceptance_test.go").read_text(), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go tests, compiled once."""
    program = tmp_path_factory.mktemp("acceptance") / "acceptance"
    command = ["go", "test", "-c", "-vet=off", "-o", str(program), "."]  # `make test` vets them
    run_with_progress("Compiling the tests", command, env=go_environment(), folder=ACCEPTANCE)
    return program


@pytest.mark.parametrize("name", TESTS)
def test_the_control_plane_passes(name: str, program: Path, tmp_path: Path) -> None:
    env = go_environment() | {"DEVCLUSTER": str(controlplane.build()), "TMPDIR": str(tmp_path)}
    run_with_progress(name, [str(program), f"-test.run=^{name}$"], env=env, folder=ACCEPTANCE)
