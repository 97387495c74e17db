"""The control plane, tested from outside by the Go tests of `devcluster/acceptance`."""

from pathlib import Path

import pytest

from pieced_local import controlplane
from pieced_local.places import go_environment
from pieced_local.progress import run_with_progress

ACCEPTANCE = controlplane.MODULE / "acceptance"


@pytest.mark.timeout(900)  # a busy machine takes its time
def test_the_control_plane_passes(tmp_path: Path) -> None:
    program, env = tmp_path / "acceptance", go_environment()
    command = ["go", "test", "-c", "-vet=off", "-o", str(program), "."]  # `make test` vets them
    run_with_progress("Compiling the tests", command, env=env, folder=ACCEPTANCE)
    env |= {"DEVCLUSTER": str(controlplane.build()), "TMPDIR": str(tmp_path)}
    run_with_progress("The control plane's tests", [str(program)], env=env, folder=ACCEPTANCE)
