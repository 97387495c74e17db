"""Rules 6 to 9: which value is in force, what applying records, what is refused; without the database's triggers."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from pieced_billing.calendar import Month
from pieced_billing.parties.entries import TermsEntry, terms_additions
from pieced_billing.parties.terms import PartyTerms, VatPosture
from pieced_billing.prices.book import PriceBook
from pieced_billing.prices.changes import PeriodFinalised
from pieced_billing.prices.entries import PriceEntry, VatRateWithoutDate, later_starts, price_additions
from pieced_billing.prices.versions import Version, Versions
from tests.engine import recorded
from tests.ledger_lines import created, enabled
from tests.unit.rated import Entry, drafted, service

FEE, SETUP, VAT = "tenant_monthly_fee_chf", "tenant_setup_fee_chf", "vat_rate_chli"
DAILY, PACKAGE_SETUP = "daily_price_chf", "setup_fee_chf"
MARCH, APRIL = Month(2026, 3), Month(2026, 4)


def day(text: str) -> date:
    return date.fromisoformat(text)


def platform(name: str, value: str | None, valid_from: str | None = None, package: str | None = None) -> PriceEntry:
    return PriceEntry(package, name, valid_from and day(valid_from), value and Decimal(value))  # type: ignore[arg-type]


def search(name: str, value: str | None, valid_from: str | None = None) -> PriceEntry:
    return platform(name, value, valid_from, "search")


def applied(*files: Sequence[PriceEntry], finalised: Sequence[Month] = ()) -> PriceBook:
    """The book after applying some files, one after the other."""
    book = PriceBook()
    for entries in files:
        book = recorded(book, price_additions(book, entries, finalised))
    return book


@pytest.mark.parametrize(
    ("on", "value"),
    [("2020-01-01", 1), ("2026-03-14", 1), ("2026-03-15", 3), ("2026-03-19", 3), ("2026-03-20", 4), ("2030-01-01", 4)],
)
def test_rule_6_the_latest_date_decides_and_of_one_date_the_last_recorded(on: str, value: int) -> None:
    versions = Versions(
        (
            Version(day("2026-03-20"), 4),
            Version(day("2026-03-15"), 2),
            Version(None, 0),
            Version(day("2026-03-15"), 3),
            Version(None, 1),
        )
    )
    assert versions.on(day(on)) == value


def test_rule_6_before_its_first_date_a_field_has_no_value() -> None:
    versions = Versions((Version(day("2026-03-15"), 2),))
    assert versions.on(day("2026-03-14")) is None


def test_rule_6_every_field_has_versions_of_its_own() -> None:
    """A later entry that names the setup fee says nothing of the daily price."""
    packages: dict[str, list[Entry]] = {
        "search": [{DAILY: "0.10", PACKAGE_SETUP: "5"}, {"from": day("2026-03-01"), PACKAGE_SETUP: "7"}]
    }
    draft = drafted(created("2026-03-02T10:00:00Z"), enabled("2026-03-02T10:00:00Z"), packages=packages)
    assert service(draft, "package_setup_fee")[0][3] == "7.00"
    assert service(draft, "package_days")[0][3] == "3.00"


def test_rule_7_a_first_value_holds_since_ever_unless_it_has_a_date() -> None:
    book = applied([platform(FEE, "31"), platform(SETUP, "99", "2026-03-15"), search(DAILY, "0.10")])
    assert book.versions(FEE).recorded == (Version(None, Decimal(31)),)
    assert book.versions(SETUP).recorded == (Version(day("2026-03-15"), Decimal(99)),)
    assert book.versions(DAILY, "search").recorded == (Version(None, Decimal("0.10")),)


def test_rule_7_once_a_period_is_finalised_a_first_value_holds_from_the_day_after() -> None:
    file = [platform(FEE, "31"), search(DAILY, "0.10"), search(PACKAGE_SETUP, "5"), search(DAILY, "0.20", "2026-06-01")]
    book = applied(file, finalised=[MARCH, APRIL])
    assert book.versions(FEE).recorded == (Version(day("2026-05-01"), Decimal(31)),)
    assert book.versions(PACKAGE_SETUP, "search").recorded == (Version(day("2026-05-01"), Decimal(5)),)
    assert [version.valid_from for version in book.versions(DAILY, "search").recorded] == [
        day("2026-05-01"),
        day("2026-06-01"),
    ]


def test_rule_7_a_value_with_a_date_replaces_a_first_value_that_holds_from_the_same_day() -> None:
    file = [platform(FEE, "40", "2026-04-01"), platform(FEE, "31")]
    book = applied(file, finalised=[MARCH])
    assert book.versions(FEE).on(day("2026-04-01")) == 40
    assert price_additions(book, file, [MARCH]) == []


@pytest.mark.parametrize("later", [[MARCH], [MARCH, APRIL]])
def test_rule_7_applying_a_moved_first_value_again_is_not_a_change(later: list[Month]) -> None:
    file = [platform(FEE, "31"), search(DAILY, None), search(PACKAGE_SETUP, "5")]
    book = applied(file, finalised=[MARCH])
    assert price_additions(book, file, later) == []
    with pytest.raises(PeriodFinalised):
        price_additions(book, [platform(FEE, "32")], later)


def test_rule_7_a_vat_rate_in_a_file_needs_a_date() -> None:
    with pytest.raises(VatRateWithoutDate, match="vat_rate_chli needs `from`"):
        price_additions(PriceBook(), [platform(FEE, "31"), platform(VAT, "8.1")], ())


@pytest.mark.parametrize(("on", "rate"), [("2023-12-31", "7.7"), ("2024-01-01", "8.1"), ("2027-01-01", "8.5")])
def test_rule_7_before_its_first_version_the_statutory_vat_rate_is_in_force(on: str, rate: str) -> None:
    book = applied([platform(VAT, "8.5", "2026-06-01")])
    assert book.vat_rate_on(day(on)) == Decimal(rate)


def test_applying_records_only_what_does_not_already_decide_its_date() -> None:
    file = [
        platform(FEE, "31.00"),
        platform(FEE, "40", "2026-06-01"),
        search(DAILY, "0.10"),
        search(PACKAGE_SETUP, None),
    ]
    book = applied(file)
    assert price_additions(book, file[::-1], ()) == []
    again = [platform(FEE, "31"), platform(FEE, "41", "2026-06-01"), search(DAILY, "0.1", "2026-07-01")]
    assert price_additions(book, again, ()) == [again[1], again[2]]


def test_of_several_entries_of_a_file_for_one_date_the_last_counts() -> None:
    file = [platform(FEE, "1", "2026-06-01"), platform(FEE, "2"), platform(FEE, "3", "2026-06-01"), platform(FEE, "4")]
    assert price_additions(PriceBook(), file, ()) == [file[3], file[2]]


def test_entries_may_stand_in_any_order() -> None:
    file = [platform(FEE, "40", "2026-06-01"), platform(FEE, "31")]
    assert applied(file) == applied(file[::-1])


def test_rule_8_a_package_without_a_daily_price_is_free_and_so_is_its_setup() -> None:
    packages: dict[str, list[Entry]] = {
        "search": [{DAILY: "0.10", PACKAGE_SETUP: "5"}, {"from": day("2026-03-10"), DAILY: None}]
    }
    lines = [created("2026-03-01T10:00:00Z"), enabled("2026-03-10T10:00:00Z")]
    draft = drafted(*lines, packages=packages)
    assert service(draft, "package_setup_fee") == service(draft, "package_days") == []
    assert draft["warnings"] == [{"code": "package_without_price", "tenant": "acme"}]


def test_rule_8_a_price_of_0_is_a_price() -> None:
    packages: dict[str, list[Entry]] = {"search": [{DAILY: "0", PACKAGE_SETUP: "5"}]}
    draft = drafted(created("2026-03-01T10:00:00Z"), enabled("2026-03-10T10:00:00Z"), packages=packages)
    assert service(draft, "package_setup_fee") == [("2026-03-10", "2026-03-10", "1", "5.00")]
    assert service(draft, "package_days") == draft["warnings"] == []


@pytest.mark.parametrize(
    "entry",
    [
        platform(FEE, "32"),
        platform(FEE, "32", "2026-03-31"),
        platform(FEE, "32", "2025-12-01"),
        platform(SETUP, None, "2026-03-01"),
        platform(VAT, "8.0", "2026-03-15"),
        platform("threema_message_chf", "0.01", "2026-03-31"),
        search(DAILY, None, "2026-03-20"),
        search(PACKAGE_SETUP, "6", "2026-02-01"),
    ],
)
def test_rule_9_no_change_alters_a_day_of_a_finalised_period(entry: PriceEntry) -> None:
    book = applied([platform(FEE, "31"), platform(SETUP, "99"), search(DAILY, "0.10"), search(PACKAGE_SETUP, "5")])
    with pytest.raises(PeriodFinalised, match=r"2026-03 is finalised; .* may change from 2026-04-01 on\."):
        price_additions(book, [platform(FEE, "50", "2026-07-01"), entry], [MARCH])


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([platform(FEE, "32")], "2026-04 is finalised; tenant_monthly_fee_chf may change from 2026-05-01 on."),
        (
            [platform(FEE, "32", "2026-01-10"), platform(FEE, "31", "2026-02-10")],
            "2026-01 is finalised; tenant_monthly_fee_chf may change from 2026-02-01 on.",
        ),
    ],
)
def test_rule_9_the_earliest_allowed_date_is_after_the_last_period_that_would_alter(
    entries: list[PriceEntry], said: str
) -> None:
    book = applied([platform(FEE, "31")])
    with pytest.raises(PeriodFinalised, match=re.escape(said)):
        price_additions(book, entries, [APRIL, Month(2026, 1)])


def starts(book: PriceBook, file: list[PriceEntry], *finalised: Month) -> list[tuple[str, date | None]]:
    return [(entry.name, entry.valid_from) for entry in later_starts(book, file, finalised)]


def test_rule_9_that_a_value_holds_from_a_date_instead_of_since_ever_is_said_each_time() -> None:
    file = [platform(FEE, "31"), platform(SETUP, "99", "2026-06-01"), search(DAILY, None), search(PACKAGE_SETUP, "5")]
    april = day("2026-04-01")
    first_time = starts(PriceBook(), file, MARCH)
    assert first_time == starts(applied(file, finalised=[MARCH]), file, MARCH, APRIL)
    assert first_time == [(FEE, april), (PACKAGE_SETUP, april)]
    assert starts(PriceBook(), file) == starts(applied(file), file, MARCH) == []


def test_rule_9_a_value_since_ever_that_equals_the_first_with_a_date_is_not_taken_for_it_silently() -> None:
    book = applied([platform(FEE, "31", "2026-04-01")])
    assert price_additions(book, [platform(FEE, "31")], [APRIL]) == [platform(FEE, "31")]
    assert starts(book, [platform(FEE, "31")], APRIL) == []
    assert price_additions(book, [platform(FEE, "31")], [MARCH]) == []
    assert starts(book, [platform(FEE, "31")], MARCH) == [(FEE, day("2026-04-01"))]


def test_rule_9_a_value_since_ever_that_ends_before_the_finalised_period_is_recorded() -> None:
    book = applied([search(DAILY, None, "2026-02-01"), search(DAILY, "0.10", "2026-04-01")])
    file = [search(DAILY, "0.10")]
    assert price_additions(book, file, [MARCH]) == file
    assert price_additions(recorded(book, file), file, [MARCH]) == []


@pytest.mark.parametrize(
    "entries",
    [
        [platform(FEE, "32", "2026-04-01")],
        [platform(FEE, "31", "2026-03-15")],
        [platform(FEE, "31.00")],
        [platform(FEE, "30", "2026-02-01"), platform(FEE, "31", "2026-03-01")],
        [platform(VAT, "8.1", "2024-01-01")],
        [platform(VAT, "7.7", "2023-01-01"), platform(VAT, "8.10", "2024-01-01")],
        [search(DAILY, None)],
        [search(DAILY, "0.10")],
    ],
)
def test_rule_9_what_alters_no_finalised_day_is_allowed(entries: list[PriceEntry]) -> None:
    book = applied([platform(FEE, "31")])
    after = recorded(book, price_additions(book, entries, [MARCH]))
    for on in MARCH.dates:
        assert after.versions(FEE).on(on) == 31
        assert after.vat_rate_on(on) == Decimal("8.1")
        assert after.versions(DAILY, "search").on(on) is None


def test_rule_9_a_new_field_of_a_known_package_may_not_reach_back() -> None:
    book = applied([search(DAILY, "0.10")])
    with pytest.raises(PeriodFinalised, match="setup_fee_chf of search may change from 2026-04-01 on"):
        price_additions(book, [search(PACKAGE_SETUP, "5")], [MARCH])


def country(value: str | None, valid_from: str | None = None) -> TermsEntry:
    return TermsEntry("country", valid_from and day(valid_from), value)  # type: ignore[arg-type]


def posture(value: str | None, valid_from: str | None = None) -> TermsEntry:
    return TermsEntry("vat_posture", valid_from and day(valid_from), value)  # type: ignore[arg-type]


SWISS = PartyTerms(Versions((Version(None, "CH"),)), Versions((Version(None, None),)))


def test_rule_14_terms_have_versions_like_prices() -> None:
    assert terms_additions(PartyTerms(), [country("CH"), posture(None)], []) == [country("CH"), posture(None)]
    assert terms_additions(SWISS, [country("CH"), posture(None)], [MARCH]) == []
    assert terms_additions(SWISS, [country("DE", "2026-04-01")], [MARCH]) == [country("DE", "2026-04-01")]
    moved = terms_additions(PartyTerms(), [country("CH"), posture("export")], [MARCH])
    assert moved == [country("CH", "2026-04-01"), posture("export", "2026-04-01")]


@pytest.mark.parametrize("entry", [country("DE"), country("LI", "2026-03-31"), posture("exempt")])
def test_rule_9_terms_of_a_finalised_period_do_not_change(entry: TermsEntry) -> None:
    with pytest.raises(PeriodFinalised, match=r"2026-03 is finalised; .* may change from 2026-04-01 on\."):
        terms_additions(SWISS, [entry], [MARCH])


def test_rule_14_a_posture_of_null_gives_way_to_the_country() -> None:
    terms = PartyTerms(
        Versions((Version(None, "DE"),)), Versions((Version(None, "exempt"), Version(day("2026-03-10"), None)))
    )
    assert terms.posture_on(day("2026-03-09")) is VatPosture.EXEMPT
    assert terms.posture_on(day("2026-03-10")) is VatPosture.EXPORT
