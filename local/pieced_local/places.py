"""Where the local stack is: the project folder and one cache folder, nothing else."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def cache() -> Path:
    """The folder shared by every checkout of this user: downloads and what was built from them."""
    return Path(os.environ.get("PIECED_CACHE") or Path.home() / ".cache" / "pieced").absolute()


def state() -> Path:
    """The folder with this checkout's data: databases, cluster, logs, passwords."""
    return Path(os.environ.get("PIECED_STATE") or PROJECT / ".state").absolute()


def venv() -> Path:
    """The virtual environment of this checkout."""
    return PROJECT / ".venv"


def environment() -> dict[str, str]:
    """The environment for every program started here, with caches and temporary files kept in our two folders."""
    temporary = PROJECT / ".cache" / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    ours = {
        "PIECED_CACHE": str(cache()),
        "TMPDIR": str(temporary),
        "PIP_CACHE_DIR": str(cache() / "pip"),
        "UV_CACHE_DIR": str(cache() / "uv"),
        "KUBECACHEDIR": str(cache() / "kubectl"),
    }
    return os.environ | ours


def go_environment() -> dict[str, str]:
    """The environment for Go: module and build caches in our cache folder, its telemetry files too.

    Tests are compiled with `-trimpath` as the control plane is, else Go compiles what they share a second time.
    """
    ours = {
        "GOMODCACHE": str(cache() / "go" / "mod"),
        "GOCACHE": str(cache() / "go" / "build"),
        # -modcacherw: a module cache that `rm -r` can remove
        "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw -trimpath".strip(),
        "XDG_CONFIG_HOME": str(cache() / "config"),
    }
    return environment() | ours
