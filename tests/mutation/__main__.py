"""`python -m tests.mutation`: change the core that decides money in every small way, and count what the tests notice.

Stopped, it goes on where it was. Writes docs/mutation.md; fails where not more than nine in ten are noticed, or where
one that is not has no explanation in `explained.py`.
"""

import sys

from tests.mutation.explained import EXPLAINED
from tests.mutation.report import share, written
from tests.mutation.session import PROJECT, Mutant, copy_tree, modules, mutants

REPORT = PROJECT / "docs" / "mutation.md"
WANTED = 0.9


def main() -> int:
    copy_tree()
    found: list[Mutant] = []
    for module in modules():
        of_module = list(mutants(module))
        found += of_module
        print(f"{module}: {sum(one.killed for one in of_module)} of {len(of_module)} noticed", flush=True)
    REPORT.write_text(written(found), encoding="utf-8")
    unexplained = [one for one in found if not one.killed and one[:3] not in EXPLAINED]
    for one in unexplained:
        print(f"{one.file} has no explanation:\n  - {one.before}\n  + {one.after}", file=sys.stderr)
    print(f"{share(found):.1%} of {len(found)} noticed; docs/mutation.md has the others.")
    return 0 if share(found) > WANTED and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
