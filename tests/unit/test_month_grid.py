"""The calendar of a line on a terminal."""

from pieced_billing.calendar import Month
from pieced_billing.explaining.days import Why
from pieced_cli.month_grid import BILLED, MARKS, month_grid, month_rows


def days(month: str, *numbers: int) -> list[str]:
    return [f"{month}-{number:02}" for number in numbers]


def test_the_weeks_of_a_month_stand_below_their_days_with_what_the_marks_mean_beside_them() -> None:
    other = {"suspended": days("2026-03", 10, 11), "other_line": days("2026-03", *range(15, 21))}
    other["after_deletion"] = days("2026-03", *range(21, 32))
    billed = days("2026-03", *range(1, 10), 12, 13, 14)
    assert list(month_grid(Month(2026, 3), billed, other)) == [
        "Mo   Tu   We   Th   Fr   Sa   Su",
        "                               1 ■   ■ billed: 12",
        " 2 ■  3 ■  4 ■  5 ■  6 ■  7 ■  8 ■   s suspended: 2",
        " 9 ■ 10 s 11 s 12 ■ 13 ■ 14 ■ 15 p   p at another price or VAT: 6",
        "16 p 17 p 18 p 19 p 20 p 21 d 22 d   d after its deletion: 11",
        "23 d 24 d 25 d 26 d 27 d 28 d 29 d",
        "30 d 31 d",
    ]


def test_a_month_of_four_weeks_has_room_for_more_meanings_than_weeks() -> None:
    months = [days("2027-02", number) for number in range(1, 7)]
    reasons = ("suspended", "other_line", "no_price", "package_off", "before_creation")
    shown = list(month_grid(Month(2027, 2), months[0], dict(zip(reasons, months[1:], strict=True))))
    assert shown[1] == " 1 ■  2 s  3 p  4 n  5 o  6 c  7     ■ billed: 1"
    assert shown[6:] == [" " * 37 + "c before its creation: 1"]
    assert max(map(len, shown)) <= 66


def test_every_reason_has_a_mark_and_words() -> None:
    assert set(MARKS) == {BILLED, *Why}
    shown_together = [MARKS[why][0] for why in MARKS if why not in ("unused", "charged_once")]
    assert len(set(shown_together)) == len(shown_together), "two reasons of one line look the same"


def test_a_month_in_rows() -> None:
    rows = list(month_rows(Month(2026, 4), {"active": days("2026-04", 1, 2, 30), "p": []}))
    assert rows[2:] == ["active  ██···························█", f"p       {'·' * 30}"]
