"""Random histories of which some lines come months late, and the bills that are made meanwhile."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from pieced_billing.calendar import Month
from tests.billed_months import BilledMonths
from tests.oracle.bill import Books, Question
from tests.oracle.days import Line, instant, local_day
from tests.oracle.owed import charged, owed
from tests.property.histories import random_case

DELAYS_MONTHS = (0, 0, 0, 0, 1, 1, 2)


def first_wrong(seed: int) -> str | None:
    """What is wrong after the bills of some months, if anything: other sums than owed, or a day billed twice."""
    rng = Random(seed)
    case = random_case(rng)
    question = replace(case.question, billing_start=None, as_of=None)
    months = _months(question.month)
    billed = BilledMonths(question.org, question.zone)
    for place, books in enumerate(told(rng, case.books, months, question.zone)):
        begun = [month for month in months[: place + 1] if billed.bill(month, books) or month in billed.months]
        asked = [replace(question, month=str(month)) for month in begun]
        wrong = _difference(billed, books, asked)
        if wrong is not None:
            return f"seed {seed}, {months[place]}: {wrong}"
    return None


def _difference(billed: BilledMonths, books: Books, asked: Sequence[Question]) -> str | None:
    found, right = charged(billed.documents), owed(books, asked)
    for charge in sorted(found.keys() | right.keys()):
        if found.get(charge) != right.get(charge):
            return f"{charge}: {found.get(charge, 0)} is charged, {right.get(charge, 0)} is owed"
    for dimension, counts in billed.days_billed():
        if not set(counts) <= {0, 1}:
            return f"{dimension} is billed so often by day: {counts}"
    return None


def _months(middle: str) -> list[Month]:
    month = Month.parse(middle)
    return [month.previous, month, month.next, month.next.next]


def told(rng: Random, books: Books, months: Sequence[Month], zone: str) -> Iterator[Books]:
    """What is known when each month is billed: at the end all, in the order in which it came.

    What a line needs is there before it: the creation of its UID, the usage that it corrects. Lives that share a name
    are told in time, or two of them would be alive at once.
    """
    names = Counter(tenant for tenant, _ in {(line["tenant"], line["uid"]) for line in _creations(books)})
    shared = {line["uid"] for line in _creations(books) if names[line["tenant"]] > 1}
    own = [_arrival(rng, line, months, zone, in_time=line["uid"] in shared) for line in books.lines]
    there: dict[str, int] = {}
    for line, place in zip(books.lines, own, strict=True):
        name = {"created": line["uid"], "usage": line.get("id")}.get(line["kind"])
        if name is not None:
            there[name] = min(place, there.get(name, place))
    came = [
        (max(place, there[line["uid"]], there.get(line.get("corrects", ""), 0)), line)
        for line, place in zip(books.lines, own, strict=True)
    ]
    came.sort(key=lambda entry: entry[0])
    for number in range(len(months)):
        yield replace(books, lines=[line for place, line in came if place <= number])


def _creations(books: Books) -> list[Line]:
    return [line for line in books.lines if line["kind"] == "created"]


def _arrival(rng: Random, line: Line, months: Sequence[Month], zone: str, *, in_time: bool) -> int:
    """The place of the month at whose end a line is there."""
    happened = Month.of(local_day(instant(line["at"]), zone))
    due = sum(month < happened for month in months)
    in_time = in_time and line["kind"] in {"created", "deleted"}
    return min(due + (0 if in_time else rng.choice(DELAYS_MONTHS)), len(months) - 1)
