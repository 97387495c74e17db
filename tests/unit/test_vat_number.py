"""Swiss VAT numbers: how they may be written, and the digit that checks them."""

import pytest

from pieced_billing.parties.vat_number import vat_number

UID = "CHE-107.787.577"


@pytest.mark.parametrize(
    ("written", "officially"),
    [
        (f"{UID} MWST", f"{UID} MWST"),
        (UID, UID),
        ("CHE107787577", UID),
        ("che 107 787 577 tva", f"{UID} TVA"),
        (" CHE-107.787.577  IVA ", f"{UID} IVA"),
        ("CHE-107.787.577VAT", f"{UID} VAT"),
        ("CHE-123.456.788 MWST", "CHE-123.456.788 MWST"),
        ("LI 54321", "LI 54321"),
        ("DE 136695976", "DE 136695976"),
        ("", ""),
    ],
)
def test_a_swiss_number_is_written_officially_and_any_other_as_it_was(written: str, officially: str) -> None:
    assert vat_number(written) == officially


def test_one_wrong_digit_is_found_wherever_it_is() -> None:
    right = "107787577"
    wrong = [right[:at] + digit + right[at + 1 :] for at in range(9) for digit in "0123456789" if digit != right[at]]
    assert {vat_number(f"CHE{number}") for number in wrong} == {None}


@pytest.mark.parametrize("mistyped", ["CHE", "CHE-107.787.57", "CHE-107.787.5777", f"{UID} UST", "CHE-１07.787.577"])
def test_what_is_not_nine_digits_is_mistyped(mistyped: str) -> None:
    assert vat_number(mistyped) is None
