"""Debian's PostgreSQL 15, unpacked from its packages into the cache: the oldest server that Pieced supports.

Nothing is installed and no root is needed. The machine's own package sources are used, so this is for Debian 12 and
whatever else offers `postgresql-15`; elsewhere the database tests run on the embedded server alone, and say so.
"""

import platform
import re
import shutil
import subprocess
from pathlib import Path

from pieced_local import places
from pieced_local.locks import file_lock, published
from pieced_local.postgres.installation import Installation
from pieced_local.progress import CommandFailed, run_with_progress

PACKAGE = "postgresql-15"
# Of the machine itself, or needed only by what is switched off (just-in-time compilation).
LEFT_OUT = re.compile(r"libc6|libc-|libcrypt1|libllvm|libz3|libperl|.*-perl$")


def unpacked() -> Installation | None:
    """The server when it lies in the cache, else None."""
    programs = _folder() / "usr" / "lib" / "postgresql" / "15" / "bin"
    libraries = _folder() / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    return Installation(programs, libraries) if programs.exists() else None


def unpack() -> bool:
    """Download and unpack it unless it is there; False when this machine's package sources do not have it.

    Raises CommandFailed.
    """
    if unpacked() is not None:
        return True
    with file_lock(places.cache() / "apt.lock"):
        if not _is_offered():
            return False
        with published(_folder()) as draft:
            if draft is not None:
                _fill(draft)
    return True


def _is_offered() -> bool:
    """Whether the machine's sources have the package. Reads their lists anew when the machine keeps none."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return False
    if not _lists_have_it():
        run_with_progress(
            "Reading the package lists",
            ["apt-get", *_options(), "update"],
            env=places.environment(),
            folder=places.cache(),
        )
    return _lists_have_it()


def _fill(folder: Path) -> None:
    archives = folder / "archives"
    archives.mkdir()
    run_with_progress(
        "Downloading Debian's PostgreSQL 15",
        ["apt-get", *_options(), "download", PACKAGE, *_libraries()],
        env=places.environment(),
        folder=archives,
    )
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    _merge_lib(folder)
    shutil.rmtree(archives)


def _folder() -> Path:
    return places.cache() / "debian-postgresql-15"


def _options() -> list[str]:
    """Options of apt: the machine's sources, keys and (when it has any) lists, our own folders, nothing installed."""
    own = places.cache() / "apt"
    for folder in ("cache/archives/partial", "state/lists/partial"):
        (own / folder).mkdir(parents=True, exist_ok=True)
    options = {
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "root",
        "Dir::Cache": str(own / "cache"),
        "Dir::State::status": "/dev/null",
    }
    if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        options["Dir::State"] = str(own / "state")
    return [f"-o{name}={value}" for name, value in options.items()]


def _lists_have_it() -> bool:
    found = subprocess.run(["apt-cache", *_options(), "show", PACKAGE], capture_output=True, check=False)
    return found.returncode == 0


def _libraries() -> list[str]:
    """The library packages that it needs, as apt would choose them on an empty machine."""
    answer = subprocess.run(
        ["apt-get", *_options(), "--simulate", "--no-install-recommends", "install", PACKAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise CommandFailed(f"apt-get cannot say what {PACKAGE} needs: {answer.stderr.strip()}")
    names = re.findall(r"^Inst (lib\S+)", answer.stdout, flags=re.MULTILINE)
    return [name for name in names if not LEFT_OUT.match(name)]


def _merge_lib(root: Path) -> None:
    """Some packages still put their libraries in /lib, which is /usr/lib on the machine itself."""
    if (root / "lib").exists():
        shutil.copytree(root / "lib", root / "usr" / "lib", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(root / "lib")
