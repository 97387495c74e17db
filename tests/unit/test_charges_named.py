"""A kind of charge is one module, and its name stands in one place of each part that needs it."""

import sys
from pathlib import Path

from pieced_billing.explaining.line import SOURCES
from pieced_billing.ledger.events import Meter
from pieced_billing.prices.book import PACKAGE_PLACES, PLATFORM_PLACES
from pieced_billing.rating.charges import CHARGES
from pieced_cli.bill import TITLES
from tests.oracle.bill import KINDS

DOCS = Path(__file__).parents[2] / "docs"


def test_function_module_and_kind_of_a_charge_have_one_name() -> None:
    for charge in CHARGES:
        name = charge.__name__
        assert charge.__module__ == f"pieced_billing.rating.{name}"
        kind: str = sys.modules[charge.__module__].KIND
        assert kind == name


def test_every_charge_is_known_to_the_oracle_in_order_and_has_a_title_and_an_explanation() -> None:
    kinds = [charge.__name__ for charge in CHARGES]
    assert kinds == KINDS == list(TITLES) == list(SOURCES)


def test_charges_meters_and_price_fields_are_documented() -> None:
    rules = (DOCS / "billing-rules.md").read_text() + (DOCS / "formats.md").read_text()
    names = [*KINDS, *Meter, *PLATFORM_PLACES, *PACKAGE_PLACES]
    assert [name for name in names if f"{name}`" not in rules and f"{name}:" not in rules] == []
