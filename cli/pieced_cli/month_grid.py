"""Days of a month on a terminal: as weeks with what each day is, and as one row."""

from collections.abc import Iterable, Iterator, Mapping

from pieced_billing.calendar import Month

BILLED = "billed"
MARKS = {
    BILLED: ("■", "billed"),
    "other_line": ("p", "at another price or VAT"),
    "no_price": ("n", "without a price"),
    "suspended": ("s", "suspended"),
    "package_off": ("o", "package off"),
    "before_creation": ("c", "before its creation"),
    "after_deletion": ("d", "after its deletion"),
    "before_billing_start": ("b", "before billing starts"),
    "unused": ("·", "nothing used"),
    "charged_once": ("·", "charged once"),
    "to_come": ("?", "still to come"),
}
"""What a day is to a line: a mark in the grid, and its words."""

_WEEK = "Mo   Tu   We   Th   Fr   Sa   Su"
_WIDTH = 35


def month_grid(month: Month, days: Iterable[str], other_days: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """The weeks of a month with a mark at each day, and beside them what the marks mean; `days` are those billed."""
    sets = {BILLED: list(days), **{why: list(of) for why, of in other_days.items()}}
    marks = {day: MARKS[why][0] for why, of in sets.items() for day in of}
    legend = [f"{MARKS[why][0]} {MARKS[why][1]}: {len(of)}" for why, of in sets.items() if of]
    cells = ["     "] * month.first.weekday()
    cells += [f"{day.day:>2} {marks.get(day.isoformat(), ' ')} " for day in month.dates]
    weeks = [_WEEK, *("".join(cells[start : start + 7]) for start in range(0, len(cells), 7))]
    for row in range(max(len(weeks), len(legend) + 1)):
        week = weeks[row] if row < len(weeks) else ""
        meaning = legend[row - 1] if 0 < row <= len(legend) else ""
        yield f"{week:<{_WIDTH}}  {meaning}".rstrip()


def month_rows(month: Month, rows: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """The days of a month as columns, under their numbers: a block for each day of a row, and a dot for the others."""
    days = [day.isoformat() for day in month.dates]
    width = max(map(len, rows)) + 2
    yield " " * width + "".join(str(number // 10) if number % 10 == 0 else " " for number in range(1, len(days) + 1))
    yield " " * width + "".join(str(number % 10) for number in range(1, len(days) + 1))
    for name, of in rows.items():
        counted = set(of)
        yield name.ljust(width) + "".join("█" if day in counted else "·" for day in days)
