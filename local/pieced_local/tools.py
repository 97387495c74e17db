"""The tools that have to be there before anything is set up. Standard library only."""

import importlib.util
import os
import re
import shutil
import subprocess

from pieced_local import controlplane
from pieced_local.places import go_environment

GO_MINIMUM = (1, 26)


def missing_tools(*, with_control_plane: bool) -> list[str]:
    """One sentence for each tool that is missing, saying what to install; empty when all are there.

    `with_control_plane`: also what it takes to build one, or to talk to the one that KUBECONFIG names.
    """
    sentences = []
    if shutil.which("git") is None:
        sentences.append("git is needed: install your system's package git.")
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        sentences.append("Python's venv module is needed: install your system's package python3-venv.")
    if with_control_plane and not controlplane.is_built():
        sentences += _for_a_cluster()
    return sentences


def _for_a_cluster() -> list[str]:
    if not uses_own_control_plane():
        if shutil.which("kubectl"):
            return []
        return ["kubectl is needed for the cluster of KUBECONFIG: install it (kubernetes.io/docs/tasks/tools)."]
    found = _go_version()
    if found >= GO_MINIMUM:
        return []
    wanted, have = (".".join(map(str, version)) for version in (GO_MINIMUM, found))
    what = f"Go {have} is too old" if found else "Go is missing"
    remedy = (
        f"install Go {wanted} or newer (go.dev/dl) and put it on PATH, or set KUBECONFIG to a cluster that you have."
    )
    return [f"{what}: {remedy}"]


def uses_own_control_plane() -> bool:
    """Whether the stack runs its own control plane: it does unless KUBECONFIG names a cluster."""
    return not os.environ.get("KUBECONFIG")


def go_is_here() -> bool:
    """Whether there is a Go to build and test the control plane with."""
    return _go_version() >= GO_MINIMUM


def _go_version() -> tuple[int, ...]:
    """Go's version as numbers, empty when there is no Go."""
    if shutil.which("go") is None:
        return ()
    answer = subprocess.run(
        ["go", "env", "GOVERSION"], env=go_environment(), capture_output=True, text=True, check=False
    )
    match = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return tuple(map(int, match.groups())) if match else ()
