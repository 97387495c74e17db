"""`python -m tests.pdfa`: documents of every kind, checked by veraPDF against PDF/A-3a and PDF/UA-1.

Needs Java 17 and Maven, which fetches veraPDF into PIECED_CACHE. Fails where a document breaks a rule, or where one
that was broken on purpose does not.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pieced_local import places
from tests.pdfa.documents import broken_documents, documents

_HERE: Final = Path(__file__).parent


def main() -> int:
    """Print what breaks a rule, and how many documents do not."""
    sound, broken = documents(), broken_documents()
    with tempfile.TemporaryDirectory() as folder:
        for name, pdf in (sound | broken).items():
            Path(folder, f"{name}.pdf").write_bytes(pdf)
        found = list(_validated(sorted(Path(folder).iterdir())))
    assert len(found) == 2 * len(sound | broken), "each document is checked against both standards"
    wrong = [(name, standard, said) for name, standard, said in found if (said == "conforms") == (name in broken)]
    for name, standard, said in wrong:
        print(f"{name}, {standard}: {said}", file=sys.stderr)
    print(f"{len(wrong)} checks failed." if wrong else f"{len(sound)} documents conform to PDF/A-3a and PDF/UA-1.")
    return 1 if wrong else 0


def _validated(files: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    """The name of each document, the standard it was checked against, and which rules it breaks."""
    command = ["java", "-cp", f"{_validator()}/*", str(_HERE / "Validate.java"), *map(str, files)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=places.environment())
    for line in done.stdout.splitlines():
        file, standard, said = line.split("\t")
        yield Path(file).stem, standard, said


def _validator() -> Path:
    """The folder with veraPDF, fetched as tests/pdfa/pom.xml names it."""
    folder = places.cache() / "verapdf"
    command = [
        "mvn",
        "-q",
        "-B",
        "-Dstyle.color=never",
        "-f",
        str(_HERE / "pom.xml"),
        f"-Dmaven.repo.local={folder / 'maven'}",
    ]
    copied = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
    subprocess.run([*command, copied, f"-DoutputDirectory={folder / 'jars'}"], check=True)
    return folder / "jars"


if __name__ == "__main__":
    sys.exit(main())
