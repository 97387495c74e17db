"""A dozen customers as there are some, with what their tenants did in a month: stories for golden invoices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pieced_billing.invoicing.credit import Wanted
from tests.ledger_lines import Line, created, deleted, disabled, enabled, resumed, sent, spent, suspended

Entry = Mapping[str, Any]

PLATFORM: Final[Sequence[Entry]] = [
    {"tenant_setup_fee_chf": "99.00", "tenant_monthly_fee_chf": "49.90", "threema_message_chf": "0.005"},
    {"from": date(2018, 1, 1), "vat_rate_chli": "7.7"},
    {"from": date(2024, 1, 1), "vat_rate_chli": "8.1"},
    {"from": date(2026, 3, 15), "tenant_monthly_fee_chf": "59.90"},
]
PACKAGES: Final[Mapping[str, Sequence[Entry]]] = {
    "searxng-local-search": [
        {"daily_price_chf": "0.10", "setup_fee_chf": "5.00"},
        {"from": date(2026, 3, 20), "daily_price_chf": None},
    ],
    "archive": [{"daily_price_chf": "0.12345", "setup_fee_chf": "12.35"}],
    "telegram": [{"daily_price_chf": "0.35"}],
}


@dataclass(frozen=True)
class Customer:
    """Who it is, what was told when `month` was billed, and what of that came after the month before was.

    `moved` are later entries of the organisation; `credit` is what a credit note takes back of the invoice.
    """

    org: Entry
    told: Sequence[Line]
    month: str = "2026-03"
    late: Sequence[Line] = ()
    moved: Sequence[Entry] = ()
    credit: Wanted | None = None


def _org(name: str, street: str, house_number: str, postcode: str, town: str, **fields: Any) -> Entry:
    address = {"name": name, "street": street, "house_number": house_number, "postcode": postcode, "town": town}
    return {"org": "310001", "country": "CH", "language": "de", **address, **fields}


_CABLE_CAR = _org("Bergbahn Hinterrugg Genossenschaft", "Talstationstrasse", "3a", "9657", "Unterwasser")
_RAILWAY: Final[Sequence[Line]] = [
    created("2026-01-12T07:00:00Z", "b1", "bergbahn"),
    enabled("2026-01-12T07:00:00Z", "searxng-local-search", "b1"),
    enabled("2026-03-02T09:30:00Z", "telegram", "b1"),
    spent("3.141592", "2026-03-03T10:00:00Z", "b1"),
    spent("0.585786", "2026-03-29T00:59:59Z", "b1"),
    sent("1213", "2026-03-31T21:59:59.999999Z", "b1"),
]
_LATE_SPEND = spent("40", "2026-02-11T10:00:00Z", "n1")

CUSTOMERS: Final[Mapping[str, Customer]] = {
    "cable-car": Customer(_CABLE_CAR, _RAILWAY),
    "dairy-suspended": Customer(
        _org("Fromagerie du Moléson Sàrl", "Chemin du Château", "12", "1663", "Gruyères", language="fr"),
        [
            created("2026-03-03T08:15:00Z", "f1", "fromagerie"),
            enabled("2026-03-03T08:15:00Z", "archive", "f1"),
            suspended("2026-03-10T00:00:00+01:00", "f1"),
            resumed("2026-03-17T23:55:00+01:00", "f1"),
        ],
    ),
    "grotto-departed": Customer(
        _org("Grotto Bellavista di Bernasconi & Figli", "Via alle Cantine", "7", "6850", "Mendrisio", language="it"),
        [
            created("2026-03-01T00:00:00+01:00", "g1", "grotto"),
            enabled("2026-03-05T08:00:00Z", "telegram", "g1"),
            disabled("2026-03-05T08:10:00Z", "telegram", "g1"),
            enabled("2026-03-05T17:00:00Z", "telegram", "g1"),
            deleted("2026-03-20T12:00:00Z", "g1"),
        ],
    ),
    "two-tenants": Customer(
        _org(
            *("Zürichsee Labs Ltd", "Seestrasse", "100", "8810", "Horgen"),
            language="en",
            purchase_order="PO-2026/0471",
            vat_number="CHE-116.281.710 MWST",
        ),
        [
            created("2026-02-01T09:00:00Z", "z1", "labs"),
            enabled("2026-02-01T09:00:00Z", "archive", "z1"),
            created("2026-03-10T09:00:00Z", "z2", "labs-staging"),
            enabled("2026-03-10T09:00:00Z", "searxng-local-search", "z2"),
            spent("128.000001", "2026-03-12T09:00:00Z", "z1"),
        ],
    ),
    "leap-february": Customer(
        _org("Treuhand Büchel Anstalt", "Äulestrasse", "30", "9490", "Vaduz", country="LI"),
        [created("2024-02-15T10:00:00Z", "t1", "treuhand")],
        month="2024-02",
    ),
    "export": Customer(
        _org("Isartal Werkzeugbau GmbH", "Äußere Münchner Straße", "5", "82515", "Wolfratshausen", country="DE"),
        [created("2026-02-01T09:00:00Z", "i1", "isartal"), sent("20001", "2026-03-09T09:00:00Z", "i1")],
    ),
    "reverse-charge": Customer(
        _org(
            *("Soieries de la Croix-Rousse SAS", "Montée de la Grande-Côte", "4 bis", "69001", "Lyon"),
            country="FR",
            language="fr",
            vat_posture="reverse_charge",
            vat_number="FR40303265045",
        ),
        [created("2026-02-01T09:00:00Z", "s1", "soieries"), enabled("2026-02-01T09:00:00Z", "telegram", "s1")],
    ),
    "exempt": Customer(
        _org("Fondazione Ospizio San Gottardo", "Passo", "1", "6780", "Airolo", language="it", vat_posture="exempt"),
        [created("2026-02-01T09:00:00Z", "o1", "ospizio")],
    ),
    "moved-abroad": Customer(
        _org("Zünd & Söhne AG", "Rheingasse", "8", "4058", "Basel"),
        [created("2026-02-01T09:00:00Z", "u1", "zuend"), enabled("2026-02-01T09:00:00Z", "telegram", "u1")],
        moved=[{"from": date(2026, 3, 16), "country": "DE"}],
    ),
    "adjusted-at-the-old-rate": Customer(
        _org("Caffè dell'Angolo SA", "Piazza Grande", "2", "6600", "Locarno", language="it"),
        [created("2023-12-10T09:00:00Z", "c1", "caffe")],
        month="2024-01",
        late=[
            enabled("2023-12-20T09:00:00Z", "telegram", "c1"),
            disabled("2023-12-29T09:00:00Z", "telegram", "c1"),
            sent("600", "2023-12-31T22:59:59Z", "c1"),
        ],
    ),
    "below-zero": Customer(
        _org("Hôtel de la Poste", "Rue du Lac", "21", "1820", "Montreux", language="fr"),
        [created("2026-02-01T00:00:00+01:00", "h1", "poste"), suspended("2026-03-02T00:00:00+01:00", "h1")],
        late=[suspended("2026-02-03T10:00:00Z", "h1")],
    ),
    "nothing-to-pay": Customer(
        _org("Nordwand Guides Ltd", "Hauptstrasse", "19", "3818", "Grindelwald", language="en"),
        [
            created("2026-01-01T09:00:00Z", "n1", "nordwand"),
            suspended("2026-01-02T09:00:00Z", "n1"),
            _LATE_SPEND,
            spent("40", "2026-03-11T10:00:00Z", "n1"),
        ],
        late=[spent("-40", "2026-02-11T10:00:00Z", "n1") | {"corrects": _LATE_SPEND["id"]}],
    ),
    "credited-in-part": Customer(_CABLE_CAR, _RAILWAY, credit=Wanted(amount=Decimal("20.00"))),
    "credited-in-full": Customer({**_CABLE_CAR, "language": "fr"}, _RAILWAY, credit=Wanted()),
}
PRINTED: Final = ("cable-car", "two-tenants", "adjusted-at-the-old-rate", "credited-in-full")
"""Those whose page is kept as well: one in each language."""
