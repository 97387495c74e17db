"""Number prefixes: each belongs to one issuing entity and series for ever, and always with as many digits.

So a number names one document, whoever else issues, and the numbers of a prefix sort as they were given.
"""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from pieced_billing.errors import Refused
from pieced_billing.parties.iban import is_qr_iban
from pieced_billing.parties.issuing_terms import IssuingTerms


class PrefixTaken(Refused):
    """A prefix would stand for two kinds of number."""

    code: ClassVar[str] = "prefix_taken"


class Numbered(NamedTuple):
    """What was said of an issuing entity, now or earlier: its terms, and the account that it is paid to if that was."""

    terms: IssuingTerms
    iban: str | None


def require_own_prefixes(said: Iterable[Numbered]) -> None:
    """Raise PrefixTaken unless everything that was ever said of issuing entities goes together."""
    owners: dict[str, tuple[str, str, int]] = {}
    payees: dict[tuple[str, str], str] = {}
    for terms, iban in said:
        for series, prefix in terms.prefixes.items():
            owner = (terms.issuer, series, terms.number_digits)
            if owners.setdefault(prefix, owner) != owner:
                raise _taken(prefix, owners[prefix], owner)
        digits = "".join(character for character in terms.invoice_prefix if character.isdecimal()).lstrip("0")
        if iban is not None and is_qr_iban(iban) and payees.setdefault((iban, digits), terms.issuer) != terms.issuer:
            raise PrefixTaken(
                f"{payees[iban, digits]} and {terms.issuer} share a QR-IBAN, whose references have only the "
                "digits of a number; invoice_prefix of one needs digits that the other's has not, such as INV2."
            )


def _taken(prefix: str, owner: tuple[str, str, int], other: tuple[str, str, int]) -> PrefixTaken:
    if owner[:2] == other[:2]:
        return PrefixTaken(
            f"Numbers that begin with {prefix} have {owner[2]} digits and would not sort with others of {other[2]}; "
            f"{other[0]} needs a new prefix for those."
        )
    issuer, series, _ = owner
    return PrefixTaken(
        f"Numbers that begin with {prefix} are those of series {series} of {issuer}; {other[0]} needs a prefix of its "
        f"own for series {other[1]}."
    )
