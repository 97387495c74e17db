"""The cluster that the stack works on: a control plane of our own, or whichever KUBECONFIG names."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pieced_local import controlplane, places
from pieced_local.children import dying_with_parent, stop
from pieced_local.errors import LocalError

KINDS_AND_RIGHTS = places.PROJECT / "manifests" / "overlays" / "local"
KINDS = ("crd/piecedtenants.pieced.ch", "crd/piecedpackages.pieced.ch")


class ClusterFailed(LocalError):
    """The cluster did not start, or refused what we asked; the sentence says what it answered."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that answers.

    `operator_kubeconfig` is a user with the operator's rights only; on somebody else's cluster it is `kubeconfig`.
    `folder` is the state of a control plane of our own, else None.
    """

    kubectl_program: Path
    kubeconfig: Path
    operator_kubeconfig: Path
    folder: Path | None = None
    audit_log: Path | None = None

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as administrator and return what it printed. Raises ClusterFailed with its complaint."""
        answer = subprocess.run(
            [str(self.kubectl_program), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=places.PROJECT,
            env=self.environment(),
            check=False,
        )
        if answer.returncode != 0:
            raise ClusterFailed(answer.stderr.strip() or answer.stdout.strip())
        return answer.stdout

    def environment(self) -> dict[str, str]:
        """The environment in which kubectl and others talk to this cluster as administrator."""
        path = f"{self.kubectl_program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return places.environment() | {"KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def component(self, action: str, name: str) -> None:
        """`stop`, `kill` or `start` a component of our own control plane, such as `kube-apiserver`."""
        assert self.folder is not None, "only a control plane of our own can be taken apart"
        command = [str(controlplane.binary()), action, name, "--dir", str(self.folder)]
        answer = subprocess.run(command, capture_output=True, text=True, env=places.environment(), check=False)
        if answer.returncode != 0:
            raise ClusterFailed(answer.stderr.strip())

    def apply_kinds_and_rights(self) -> None:
        """Make the cluster know our kinds and the operator's rights, and wait until it serves them."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(KINDS_AND_RIGHTS))
        self.kubectl("wait", "--for=condition=Established", "--timeout=60s", *KINDS)


def given(kubeconfig: Path) -> Cluster:
    """The cluster of a kubeconfig that somebody gave us. Raises ClusterFailed when it does not answer."""
    if not kubeconfig.is_file():
        raise ClusterFailed(f"KUBECONFIG names {kubeconfig}, which is no file: correct it, or unset it.")
    program = shutil.which("kubectl") or controlplane.binary().with_name("kubectl")
    cluster = Cluster(Path(program), kubeconfig, operator_kubeconfig=kubeconfig)
    try:
        cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=10s")
    except ClusterFailed as failure:
        raise ClusterFailed(f"The cluster of KUBECONFIG {kubeconfig} does not answer: {failure}") from None
    return cluster


@contextmanager
def running(folder: Path, *, audit_log: Path | None = None) -> Iterator[Cluster]:
    """Run a control plane with its state in `folder` until the block ends; objects of an earlier run are there again.

    Raises ClusterFailed, and CommandFailed when it has to be built first and cannot be.
    """
    program = controlplane.build()
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(program), "up", "--dir", str(folder)]
    if audit_log is not None:
        command += ["--audit-log", str(audit_log)]
    log = folder / "devcluster.log"
    with log.open("wb") as complaints:
        child = subprocess.Popen(
            dying_with_parent(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=places.environment(),
            process_group=0,  # Ctrl-C is for us; we stop it when nobody needs it any more
        )
    try:
        assert child.stdout is not None
        if not child.stdout.readline().startswith(b"ready"):
            raise ClusterFailed(f"The control plane did not start: {' '.join(log.read_text().splitlines()[-1:])}")
        yield Cluster(
            kubectl_program=program.with_name("kubectl"),
            kubeconfig=folder / "admin.kubeconfig",
            operator_kubeconfig=folder / "operator.kubeconfig",
            folder=folder,
            audit_log=audit_log,
        )
    finally:
        stop(child)
        assert child.stdout is not None
        child.stdout.close()
