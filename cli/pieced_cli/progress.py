"""A progress bar on a terminal, and nothing anywhere else."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Result = TypeVar("Result")


def with_progress(steps: Iterable[tuple[int, Result]]) -> Iterator[Result]:
    """The results of steps, each with how much is still to come; the first step says how much there is at all."""
    if not sys.stderr.isatty():
        yield from (result for _, result in steps)
        return
    from rich.console import Console  # noqa: PLC0415 - rich is slow to load
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = None
        for to_come, result in steps:
            if task is None:
                task = progress.add_task("organisations", total=to_come)
            progress.update(task, completed=(progress.tasks[0].total or 0) - to_come)
            yield result
