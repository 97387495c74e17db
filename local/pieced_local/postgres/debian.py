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
from pieced_local.locks import published
from pieced_local.postgres.installation import Installation
from pieced_local.progress import run_with_progress

PACKAGE = "postgresql-15"
# Of the machine itself, or needed only by what is switched off (just-in-time compilation).
LEFT_OUT = re.compile(r"libc6|libc-|libcrypt1|libllvm|libz3|libperl|.*-perl$")


def unpacked() -> Installation | None:
    """The server when it lies in the cache, else None."""
    programs = _folder() / "usr" / "lib" / "postgresql" / "15" / "bin"
    libraries = _folder() / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    return Installation(programs, libraries) if programs.exists() else None


def is_offered() -> bool:
    """Whether this machine's package sources have it. Reads their lists anew when the machine keeps none."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return False
    if not _lists_have_it(_options()):
        run_with_progress(
            "Reading the package lists",
            ["apt-get", *_options(), "update"],
            env=places.environment(),
            folder=places.cache(),
        )
    return _lists_have_it(_options())


def unpack() -> None:
    """Download and unpack it, unless it is there. Raises CommandFailed."""
    with published(_folder()) as draft:
        if draft is None:
            return
        archives = draft / "archives"
        archives.mkdir()
        run_with_progress(
            "Downloading Debian's PostgreSQL 15",
            ["apt-get", *_options(), "download", PACKAGE, *_libraries()],
            env=places.environment(),
            folder=archives,
        )
        for archive in sorted(archives.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", archive, draft], check=True)
        _merge_lib(draft)
        shutil.rmtree(archives)


def _folder() -> Path:
    return places.cache() / "debian-postgresql-15"


def _options() -> list[str]:
    """Options of apt: the machine's sources and keys, our own folders. Its own lists serve when it has them."""
    own = places.cache() / "apt"
    for folder in ("cache/archives/partial", "state/lists/partial"):
        (own / folder).mkdir(parents=True, exist_ok=True)
    options = {"Debug::NoLocking": "1", "Dir::Cache": str(own / "cache"), "APT::Sandbox::User": "root"}
    if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        options |= {"Dir::State": str(own / "state"), "Dir::State::status": "/var/lib/dpkg/status"}
    return [f"-o{name}={value}" for name, value in options.items()]


def _lists_have_it(options: list[str]) -> bool:
    found = subprocess.run(["apt-cache", *options, "show", PACKAGE], capture_output=True, check=False)
    return found.returncode == 0


def _libraries() -> list[str]:
    """The library packages that it needs, as apt would choose them on an empty machine."""
    answer = subprocess.run(
        [
            "apt-get",
            *_options(),
            "-oDir::State::status=/dev/null",
            "--simulate",
            "--no-install-recommends",
            "install",
            PACKAGE,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    names = re.findall(r"^Inst (lib\S+)", answer.stdout, flags=re.MULTILINE)
    return [name for name in names if not LEFT_OUT.match(name)]


def _merge_lib(root: Path) -> None:
    """Some packages still put their libraries in /lib, which is /usr/lib on the machine itself."""
    if (root / "lib").exists():
        shutil.copytree(root / "lib", root / "usr" / "lib", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(root / "lib")
