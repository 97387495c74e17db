"""What the code of a payment part says, and what it refuses to say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pieced_billing.documents.payment_reference import (
    BadReference,
    ReferenceType,
    creditor_reference,
    payment_reference,
    qr_reference,
    reference_type,
)
from pieced_billing.documents.qr_bill import QrBill, qr_bill
from pieced_billing.parties.iban import BadIban, swiss_iban
from pieced_billing.parties.payment_text import UnfitText, payment_text
from pieced_billing.parties.postal_address import LIMITS, PostalAddress, postal_address

QR_IBAN, IBAN = "CH4431999123000889012", "CH9300762011623852957"
PIECED = PostalAddress("Pieced AG", "Lagerstrasse", "4", "8004", "Zürich", "CH")
ACME = PostalAddress("Acme AG", "Bahnhofstrasse", "1", "8001", "Zürich", "CH")
NUMBER = "INV-2026-000001"


def a_bill(iban: str = QR_IBAN, amount: str = "148.21", debtor: PostalAddress | None = ACME) -> QrBill:
    bill = qr_bill(iban, PIECED, Decimal(amount), debtor, NUMBER)
    assert bill is not None
    return bill


def test_the_payload_with_a_qr_iban() -> None:
    assert a_bill().payload.split("\n") == [
        *("SPC", "0200", "1", QR_IBAN),
        *("S", "Pieced AG", "Lagerstrasse", "4", "8004", "Zürich", "CH"),
        *("", "", "", "", "", "", ""),
        *("148.21", "CHF"),
        *("S", "Acme AG", "Bahnhofstrasse", "1", "8001", "Zürich", "CH"),
        *("QRR", "000000000000000020260000018", NUMBER, "EPD"),
    ]


def test_the_payload_with_an_ordinary_iban_and_a_debtor_who_is_not_known_in_full() -> None:
    lines = a_bill("CH93 0076 2011 6238 5295 7", "999999999.99", None).payload.split("\n")
    assert lines[3] == IBAN
    assert lines[18:] == ["999999999.99", "CHF", *[""] * 7, "SCOR", "RF94INV2026000001", NUMBER, "EPD"]


@pytest.mark.parametrize("amount", ["0.00", "-0.01", "-148.21", "1000000000.00", "0.004"])
def test_no_payment_part_for_an_amount_that_none_can_ask_for(amount: str) -> None:
    assert qr_bill(QR_IBAN, PIECED, Decimal(amount), ACME, NUMBER) is None


@pytest.mark.parametrize(
    ("digits", "check"), [("21000000000313947143000901", "7"), ("00000000000000002026000001", "8"), ("9" * 26, "2")]
)
def test_the_check_digit_of_a_qr_reference(digits: str, check: str) -> None:
    assert qr_reference(digits) == digits + check


def test_a_qr_reference_has_27_digits() -> None:
    assert qr_reference(NUMBER) == "000000000000000020260000018"
    for number in ("9" * 27, "INV"):
        with pytest.raises(BadReference, match=r"a QR reference has 1 to 26"):
            qr_reference(number)


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        ("539007547034", "RF18539007547034"),
        ("2026000001", "RF422026000001"),
        ("INV2026000001", "RF94INV2026000001"),
        (NUMBER, "RF94INV2026000001"),
    ],
)
def test_the_check_digits_of_a_creditor_reference(body: str, reference: str) -> None:
    assert creditor_reference(body) == reference


def test_a_creditor_reference_has_up_to_25_characters() -> None:
    assert len(creditor_reference("1" * 21)) == 25
    for number in ("1" * 22, "---"):
        with pytest.raises(BadReference, match=r"a creditor reference has 1 to 21"):
            creditor_reference(number)


def test_a_qr_iban_and_only_it_goes_with_a_qr_reference() -> None:
    assert (reference_type(QR_IBAN), reference_type(IBAN)) == (ReferenceType.QRR, ReferenceType.SCOR)
    assert payment_reference(IBAN, NUMBER) == "RF94INV2026000001"
    for institution, kind in (("29999", "SCOR"), ("30000", "QRR"), ("31999", "QRR"), ("32000", "SCOR")):
        assert reference_type(f"CH00{institution}000000000000") == kind


@pytest.mark.parametrize(
    "iban",
    ["", "CH4431999123000889013", "CH443199912300088901", "DE89370400440532013000", "CH44\n31999123000889012", "IBAN"],
)
def test_a_mistyped_or_foreign_iban_is_refused(iban: str) -> None:
    with pytest.raises(BadIban, match=r"^iban is "):
        swiss_iban(iban)


@pytest.mark.parametrize(
    ("written", "fitted"),
    [
        ("Zu\u0308rich", "Zürich"),
        ("  Müller \u00a0 & \u2009Co. ", "Müller & Co."),
        ("L’Oréal «Suisse»", "L'Oréal «Suisse»"),
        ("Bern–Thun…", "Bern-Thun..."),
        ("Nguyễn", "Nguyen"),
        ("Łódź Ţară Țară Škoda", "Łódź Ţară Țară Škoda"),
        ("\u202eAcme\u200b AG\ufeff", "Acme AG"),
        ("Soft\u00adware", "Software"),
    ],
)
def test_what_only_looks_different_is_written_plainly(written: str, fitted: str) -> None:
    assert payment_text("name", written, 70) == fitted


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Bern\nCH\nNON", r"^town has a control character \(U\+000A\), which a Swiss payment slip cannot show\.$"),
        ("Bern\r", r"\(U\+000D\)"),
        ("Bern\x00", r"\(U\+0000\)"),
        ("Bern\x85", r"\(U\+0085\)"),
        ("Bern\u2028", r"\(U\+2028\)"),
        ("Bern 🏔", r"town has '🏔' \(U\+1F3D4\)"),
        ("ירושלים", r"town has 'י' \(U\+05D9\)"),
        ("x" * 36, "^town has 36 characters; a Swiss payment slip shows at most 35.$"),
        ("x" * 5000, "town has 5000 characters"),
    ],
)
def test_what_a_slip_cannot_show_is_refused_with_its_field(written: str, said: str) -> None:
    with pytest.raises(UnfitText, match=said):
        postal_address({"town": written})


def test_an_address_that_is_not_whole_is_none() -> None:
    whole = {"name": "Acme AG", "postcode": "8001", "town": "Zürich", "country": "CH"}
    assert postal_address(whole) == PostalAddress("Acme AG", None, None, "8001", "Zürich", "CH")
    for name in whole:
        assert postal_address(whole | {name: None}) is None
        assert postal_address(whole | {name: " "}) is None


def test_the_country_is_written_where_it_is_not_switzerland() -> None:
    assert ACME.lines() == ["Acme AG", "Bahnhofstrasse 1", "8001 Zürich"]
    assert PostalAddress("Rat GmbH", None, None, "10119", "Berlin", "DE").lines() == ["Rat GmbH", "DE 10119 Berlin"]


@given(st.fixed_dictionaries({name: st.text() for name in LIMITS}))
def test_whatever_an_address_says_the_payload_keeps_its_lines_and_limits(parts: dict[str, str]) -> None:
    try:
        debtor = postal_address(parts)
    except UnfitText as refusal:
        field = str(refusal).split()[0]
    else:
        lines = a_bill(debtor=debtor).payload.split("\n")
        assert len(lines) == 31
        assert all(len(line) <= 70 for line in lines)
        return
    assert field in LIMITS
