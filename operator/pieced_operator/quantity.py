"""Kubernetes quantities (5Gi, 500m): read, added, and written as the API server writes them.

The API server rounds the quantities of a resource list up to thousandths and respells most of them: with the largest
suffix that leaves a whole number, binary if the input was. Desired values are spelled so from the start, or they would
never equal the live ones.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil

# The notations that the custom resource definitions accept; exponents and parts below thousandths are not among them.
PATTERN = r"^([0-9]+(?:[.][0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_COMPILED = re.compile(PATTERN)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount in whole thousandths, and whether it is spelled with binary suffixes."""

    thousandths: int
    binary: bool

    def __str__(self) -> str:
        units, rest = divmod(self.thousandths, 1000)
        if rest:
            return f"{self.thousandths}m"
        if self.binary and units >= 1024:
            return _spelled(units, 1024, _BINARY)
        return _spelled(units, 1000, _DECIMAL)


@lru_cache(maxsize=4096)  # a platform uses few quantities, and every reconcile reads them
def parse(text: str) -> Quantity:
    """The quantity that a text spells; raises ValueError for any that the definitions would refuse."""
    match = _COMPILED.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity such as 5Gi or 500m")
    number, suffix = Fraction(match[1]), match[2] or ""
    if suffix == "m":
        return Quantity(ceil(number), binary=False)
    if suffix in _DECIMAL:
        return Quantity(ceil(number * 1000 ** (_DECIMAL.index(suffix) + 1)), binary=False)
    return Quantity(ceil(number * 1000 * 1024 ** _BINARY.index(suffix)), binary=True)


def canonical(text: str) -> str:
    """The same quantity, spelled so that the API server keeps the spelling."""
    return str(parse(text))


def total(texts: Iterable[str]) -> str:
    """The sum of quantities, spelled with binary suffixes if one of them is."""
    parts = [parse(text) for text in texts]
    return str(Quantity(sum(part.thousandths for part in parts), any(part.binary for part in parts)))


def _spelled(units: int, base: int, suffixes: tuple[str, ...]) -> str:
    power = 0
    while units and units % base == 0 and power + 1 < len(suffixes):
        units, power = units // base, power + 1
    return f"{units}{suffixes[power]}"
