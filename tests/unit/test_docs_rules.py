"""The pages on rules and formats say what the code does."""

import re
from pathlib import Path

from pieced_billing.invoicing import warnings
from pieced_billing.ledger.history import USAGE_UNAVAILABLE
from pieced_billing.rating.charges import CHARGES
from pieced_billing.usage.litellm_source import NO_KEY, NO_TEAM
from pieced_operator import conditions
from pieced_operator.settings import settings_of

PROJECT = Path(__file__).parents[2]
RULES = (PROJECT / "docs/billing-rules.md").read_text()
FORMATS = (PROJECT / "docs/formats.md").read_text()


def first_column(text: str, after: str) -> list[str]:
    """The code in the first column of the table that follows the text `after`."""
    table = text[text.index(after) :].split("|---|", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `(\w+)`", table, re.MULTILINE)


def test_the_rules_are_numbered_from_1_to_18() -> None:
    assert [int(number) for number in re.findall(r"^\*\*(\d+)\. ", RULES, re.MULTILINE)] == list(range(1, 19))


def test_the_code_cites_only_rules_that_there_are() -> None:
    cited = {
        int(number)
        for root in ("billing", "operator", "cli")
        for path in (PROJECT / root).rglob("*.py")
        for citation in re.findall(r"\brules? (\d[\d, and to]*)", path.read_text())
        for number in re.findall(r"\d+", citation)
    }
    assert cited
    assert cited <= set(range(1, 19))


def test_the_table_of_charges_is_the_bills_order() -> None:
    assert first_column(RULES, "## Charges") == [charge.__name__ for charge in CHARGES]


def test_every_warning_is_explained() -> None:
    codes = set(re.findall(r'DraftWarning\("(\w+)"', Path(warnings.__file__).read_text()))
    assert codes
    gaps = {USAGE_UNAVAILABLE, NO_KEY, NO_TEAM}
    assert set(first_column(FORMATS, "A warning has")) == codes | gaps


def test_the_examples_on_the_page_are_the_files_that_are_tried() -> None:
    for name in ("prices.yaml", "orgs.yaml"):
        assert f"```yaml\n{(PROJECT / 'docs/examples' / name).read_text()}```" in FORMATS


def test_every_reason_to_stall_has_a_remedy() -> None:
    named = re.findall(r'Problem\((?:"(\w+)"|([A-Z_]+)),', Path(conditions.__file__).read_text())
    reasons = {literal or getattr(conditions, constant) for literal, constant in named}
    assert reasons
    assert set(first_column((PROJECT / "docs/failure-modes.md").read_text(), "## A tenant does not")) == reasons


def test_the_defaults_of_the_settings_are_the_programs() -> None:
    operations = (PROJECT / "docs/operations.md").read_text()
    settings = settings_of({"DATABASE_URL": "postgresql://pieced_app@localhost/pieced"})
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `?([^|`]+?)`? \|$", operations, re.MULTILINE))
    assert rows["PIECED_RETENTION_DAYS"] == str(settings.retention_period.days)
    assert rows["PIECED_ORG_LABEL"] == settings.org_label
