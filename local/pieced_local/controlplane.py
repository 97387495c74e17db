"""The binary of `devcluster/`, built once per content into the cache. Standard library only."""

import hashlib
from pathlib import Path

from pieced_local import places
from pieced_local.locks import published
from pieced_local.progress import run_with_progress

MODULE = places.PROJECT / "devcluster"


def binary() -> Path:
    """Where the built binary for the present sources is, or would be; kubectl lies beside it."""
    return _folder() / "devcluster"


def is_built() -> bool:
    """Whether the present sources are built already."""
    return binary().exists()


def build() -> Path:
    """Build the present sources unless they are built, and return the binary. Raises CommandFailed."""
    with published(_folder()) as draft:
        if draft is not None:
            run_with_progress(
                "Building the control plane (some minutes, once)",
                [str(MODULE / "build.sh"), str(draft / "devcluster")],
                env=_verbose(places.go_environment()),
                folder=places.PROJECT,
            )
            (draft / "kubectl").symlink_to("devcluster")
    return binary()


def _verbose(env: dict[str, str]) -> dict[str, str]:
    return env | {"GOFLAGS": f"{env['GOFLAGS']} -v"}  # Go names each package that it compiles: our progress


def _folder() -> Path:
    """Keyed by what goes into the binary, so that a changed test or text builds nothing again."""
    digest = hashlib.sha256()
    for path in sorted(path for path in MODULE.rglob("*") if _is_source(path)):
        digest.update(f"{path.relative_to(MODULE)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return places.cache() / "devcluster" / digest.hexdigest()[:16]


def _is_source(path: Path) -> bool:
    return path.suffix in {".go", ".mod", ".sum", ".sh", ".yaml"} and not path.name.endswith("_test.go")
