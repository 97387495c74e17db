"""The file of those who issue invoices: what it may say, and what is refused with its line."""

from decimal import Decimal

import pytest
import yaml

from pieced_billing.documents.pdf import can_print_logo
from pieced_billing.parties.issuing_entity import IssuingEntity
from pieced_billing.parties.issuing_terms import IssuingTerms
from pieced_billing.parties.postal_address import PostalAddress
from pieced_billing.parties.read_issuers import DEFAULT_ACCENT, read_issuers
from pieced_billing.yaml_file import BadFile
from tests.invoice_documents import LOGO

LEAST = {
    "issuer": "default",
    "name": "Pieced AG",
    "postcode": "8004",
    "town": "Zürich",
    "country": "CH",
    "iban": "CH44 3199 9123 0008 8901 2",
}


def read(**fields: object) -> IssuingEntity:
    content = yaml.safe_dump({"issuers": [{name: value for name, value in fields.items() if value != ""}]})
    ((_, issuer),) = read_issuers(content.encode(), "issuers.yaml")
    return issuer


def test_the_least_that_is_said_of_an_issuer() -> None:
    address = PostalAddress("Pieced AG", None, None, "8004", "Zürich", "CH")
    assert read(**LEAST) == IssuingEntity(
        IssuingTerms(), address, "CH4431999123000889012", None, None, DEFAULT_ACCENT, None
    )


def test_everything_that_can_be_said_of_an_issuer() -> None:
    more = {"street": "Lagerstrasse", "house_number": "4", "vat_number": "CHE-107.787.577 MWST", "email": "a@b.example"}
    terms = {"invoice_prefix": "RE", "credit_note_prefix": "GS1", "number_digits": 8, "payment_days": 0}
    issuer = read(
        **LEAST,
        **more,
        **terms,
        minimum_amount_chf="9.50",
        accent_colour="#0B6E4F",
        logo=f"<?xml version='1.0'?>\n{LOGO}\n",
    )
    assert issuer.address.lines() == ["Pieced AG", "Lagerstrasse 4", "8004 Zürich"]
    assert (issuer.vat_number, issuer.email, issuer.accent_colour) == (*list(more.values())[2:], "#0b6e4f")
    assert issuer.terms == IssuingTerms("default", "RE", "GS1", 8, 0, Decimal("9.50"))
    assert issuer.logo is not None
    assert can_print_logo(issuer.logo)


@pytest.mark.parametrize("logo", ["", "logo.svg", "<svg", "<html></html>", "<svg xmlns='http://www.w3.org/2000/svg'>"])
def test_what_is_no_svg_image_is_no_logo(logo: str) -> None:
    assert not can_print_logo(logo)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "has no name, which is required."),
        ({"iban": ""}, "has no iban, which is required."),
        ({"town": " "}, "has an empty name, postcode or town."),
        ({"name": "Pieced 🏔"}, "cannot be printed: name has '🏔' (U+1F3D4), which a Swiss payment slip cannot show."),
        ({"street": "x" * 71}, "cannot be printed: street has 71 characters; a Swiss payment slip shows at most 70."),
        ({"email": "🏔"}, "email cannot be printed: email has '🏔' (U+1F3D4), which a Swiss payment slip cannot show."),
        ({"country": "Schweiz"}, "country must be the code of a country in two capitals (ISO 3166-1), such as CH."),
        ({"country": "ZZ"}, "country must be the code of a country"),
        ({"iban": "CH44 3199 9123 0008 8901 3"}, "iban must be an IBAN of Switzerland or Liechtenstein, such as"),
        ({"iban": "DE89370400440532013000"}, "iban must be an IBAN of Switzerland or Liechtenstein"),
        ({"vat_number": "CHE-107.787.578 MWST"}, "vat_number must be a VAT number without a mistake in it, such as"),
        ({"accent_colour": "green"}, 'accent_colour must be a colour in quotes, such as "#1f3a5f".'),
        ({"issuer": 1}, "issuer must be a string"),
        ({"invoice_prefix": "inv"}, "invoice_prefix must be a capital letter and up to 7 more capitals or digits"),
        ({"credit_note_prefix": "C-N"}, "credit_note_prefix must be a capital letter"),
        ({"credit_note_prefix": "2026"}, "credit_note_prefix must be a capital letter"),
        ({"number_digits": 3}, "number_digits must be 4 to 9."),
        ({"number_digits": "six"}, "number_digits must be a number that is not negative"),
        ({"payment_days": 366}, "payment_days must be at most 365."),
        ({"minimum_amount_chf": "-1"}, "minimum_amount_chf must be a number that is not negative"),
        ({"minimum_amount_chf": "1.005"}, "minimum_amount_chf has more than 2 decimals"),
        ({"logo": ["x"]}, "logo must be text."),
        ({"bank": "x"}, "the key 'bank' of issuers is not known"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(BadFile) as refusal:
        read(**LEAST | wrong)
    assert str(refusal.value).startswith("issuers.yaml, line ")
    assert said in str(refusal.value)
