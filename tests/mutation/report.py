"""What the tests notice of the mutants, as a page."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from tests.mutation.explained import EXPLAINED
from tests.mutation.session import Mutant

_HEAD: Final = """# Mutation

A test that passes whatever the code says shows nothing. `make mutation` changes the core that decides money, one small
change at a time (another operator, another number, a condition the other way round, a loop that does not run, a
decorator taken off), and runs the tests of that core against each: those of the rules, of money and days, of credits
and adjustments, and 250 random histories against the [oracle](../tests/oracle/README.md). Left out are types in
signatures and what no mistake looks like, such as a power for a sum: hardly a test would not notice them. The command
writes this page; it fails where not more than nine in ten are noticed, or where one that is not has no explanation
below. Stopped, it goes on where it was.

"""


def share(mutants: Sequence[Mutant]) -> float:
    """How many of them a test notices, from 0 to 1."""
    return sum(one.killed for one in mutants) / len(mutants)


def written(mutants: Sequence[Mutant]) -> str:
    """The page: the counts of each file, then what no test notices and why."""
    return f"{_HEAD}{_counts(mutants)}\n## What no test notices\n\n{_survivors(mutants)}"


def _counts(mutants: Sequence[Mutant]) -> str:
    made, noticed = Counter(one.file for one in mutants), Counter(one.file for one in mutants if one.killed)
    rows = [(f"`{file}`", made[file], noticed[file]) for file in sorted(made)]
    rows.append(("in all", len(mutants), noticed.total()))
    lines = [f"| {file} | {all_made} | {killed} | {killed / all_made:.1%} |" for file, all_made, killed in rows]
    return "\n".join(["| file | changes | noticed | share |", "|---|---|---|---|", *lines, ""])


def _survivors(mutants: Sequence[Mutant]) -> str:
    lines = ["| file | line | instead | why |", "|---|---|---|---|"]
    survivors = sorted({one for one in mutants if not one.killed}, key=_explanation)
    for (file, before, why), alike in groupby(survivors, key=_explanation):
        instead = "<br>".join(_code(one.after) for one in alike)
        lines.append(f"| `{file}` | {_code(before)} | {instead} | {why} |")
    return "\n".join([*lines, ""])


def _explanation(one: Mutant) -> tuple[str, str, str]:
    return one.file, one.before, EXPLAINED.get(one[:3], "**not explained**")


def _code(line: str) -> str:
    return f"`{line.replace('|', chr(92) + '|')}`" if line else "nothing"
