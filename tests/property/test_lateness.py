"""Rule 17: whatever comes late, after each month's bills exactly what is owed by then is charged, and no day twice."""

from tests.property.lateness import first_wrong

HISTORIES = 100


def test_rule_17_what_comes_late_is_charged_once_and_as_if_it_had_been_known() -> None:
    assert [wrong for seed in range(HISTORIES) if (wrong := first_wrong(seed)) is not None] == []
