"""What a storm leaves for whoever looks into a difference: the two witnesses and what happened to them."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from tests.audit import entries
from tests.faults.checker import Difference, check
from tests.faults.timeline import Circumstances, Restore, Window


def keep(folder: Path, audit_log: Path, export: Sequence[str], known: Circumstances, operator_log: Path) -> None:
    """Put everything into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(audit_log, folder / "audit.log")
    shutil.copy(operator_log, folder / "operator.log")
    (folder / "export.jsonl").write_text("".join(f"{line}\n" for line in export))
    (folder / "known.json").write_text(json.dumps(asdict(known), default=datetime.isoformat, indent=1))


def check_again(folder: Path) -> list[Difference]:
    """What the checker says of what was kept."""
    with (folder / "export.jsonl").open() as export:
        return check(entries(folder / "audit.log"), export, known_of(folder))


def known_of(folder: Path) -> Circumstances:
    """The circumstances that were kept."""
    kept = json.loads((folder / "known.json").read_text())

    def window(one: dict[str, str]) -> Window:
        return Window(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]), one["why"])

    return Circumstances(
        blind=tuple(map(window, kept["blind"])),
        unlogged=tuple(map(window, kept["unlogged"])),
        unwritten=tuple(map(window, kept["unwritten"])),
        restores=tuple(
            Restore(datetime.fromisoformat(one["saved_at"]), datetime.fromisoformat(one["restored_at"]))
            for one in kept["restores"]
        ),
    )


if __name__ == "__main__":
    for difference in check_again(Path(sys.argv[1])):
        print(difference)
