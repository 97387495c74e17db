"""What applying records and refuses, against the plain reading: the last said decides, finalised days stand."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from pieced_billing.calendar import Month
from pieced_billing.prices.book import TENANT_MONTHLY_FEE, PriceBook
from pieced_billing.prices.changes import PeriodFinalised
from pieced_billing.prices.entries import PriceEntry, price_additions
from tests.engine import recorded
from tests.oracle.prices import in_force

MONTHS = [Month(2026, number) for number in range(1, 7)]
DAYS = [date(2025, 12, 1) + timedelta(days=number) for number in range(250)]

values = st.sampled_from([None, *map(Decimal, ("0", "31", "31.00", "49.90"))])
dates = st.none() | st.sampled_from([day for day in DAYS if day.day in {1, 2, 15}])
files = st.lists(st.builds(PriceEntry, st.none(), st.just(TENANT_MONTHLY_FEE), dates, values), min_size=1, max_size=4)
finalised_months = st.sets(st.sampled_from(MONTHS), max_size=3)


def on_each_day(book: PriceBook) -> dict[date, Decimal | None]:
    return {day: book.versions(TENANT_MONTHLY_FEE).on(day) for day in DAYS}


def said(earlier: list[PriceEntry], file: list[PriceEntry]) -> dict[date, Decimal | None]:
    entries = [{"from": entry.valid_from, "value": entry.value} for entry in (*earlier, *file)]
    return {day: in_force(entries, "value", day) for day in DAYS}


def without_first_value(earlier: list[PriceEntry], file: list[PriceEntry], finalised: set[Month]) -> list[PriceEntry]:
    """The file without what it says since ever, if that holds from the end of a finalised month and nothing before."""
    since_ever = [entry.value for entry in file if entry.valid_from is None]
    first = min(entry.valid_from or date.min for entry in earlier)
    if not since_ever or first == date.min or first.day != 1 or Month.of(first - timedelta(days=1)) not in finalised:
        return file
    if since_ever[-1] not in [entry.value for entry in earlier if entry.valid_from == first]:
        return file
    return [entry for entry in file if entry.valid_from is not None]


@settings(max_examples=150, derandomize=True)
@given(files, files, finalised_months)
def test_a_change_is_refused_exactly_when_a_finalised_day_would_alter(
    earlier: list[PriceEntry], file: list[PriceEntry], finalised: set[Month]
) -> None:
    book = recorded(PriceBook(), price_additions(PriceBook(), earlier, ()))
    before, after = on_each_day(book), said(earlier, without_first_value(earlier, file, finalised))
    alters = any(before[day] != after[day] for day in DAYS if Month.of(day) in finalised)
    try:
        changed = recorded(book, price_additions(book, file, finalised))
    except PeriodFinalised:
        assert alters
        return
    assert not alters
    assert on_each_day(changed) == after


@settings(max_examples=150, derandomize=True)
@given(
    st.lists(files, min_size=1, max_size=3), st.lists(st.sampled_from(MONTHS), max_size=3, unique=True), st.booleans()
)
def test_applying_the_last_file_again_records_nothing_whatever_is_finalised_since(
    applied: list[list[PriceEntry]], finalised: list[Month], latest_first: bool
) -> None:
    """Saved with the latest date first, or in the order given: it makes no difference."""
    book, file = PriceBook(), list[PriceEntry]()
    for number, entries in enumerate(applied):
        try:
            additions = price_additions(book, entries, finalised[: number + 1])
            if latest_first:
                additions.sort(key=lambda entry: entry.valid_from or date.min, reverse=True)
            book, file = recorded(book, additions), entries
        except PeriodFinalised:
            continue
    assert price_additions(book, file, finalised) == []
