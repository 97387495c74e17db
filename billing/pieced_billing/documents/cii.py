"""Elements of a Cross Industry Invoice (UN/CEFACT CII D16B): what is empty is left out, so that no element is."""

import re
import xml.etree.ElementTree as ET
from datetime import date
from decimal import Decimal
from typing import Final

from pieced_billing.money import number_text

_NAMESPACES: Final = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_UNWRITABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 has no character for, and every other control: a document is one line."""
_REPLACEMENT: Final = "\ufffd"

for prefix, uri in _NAMESPACES.items():
    ET.register_namespace(prefix, uri)


def element(name: str, *content: ET.Element | str | None, **attributes: str) -> ET.Element | None:
    """An element of that prefix and name with its children or its text; None where it would be empty.

    What text cannot be written becomes U+FFFD.
    """
    prefix, _, local = name.partition(":")
    made = ET.Element(f"{{{_NAMESPACES[prefix]}}}{local}", attributes)
    for part in content:
        if isinstance(part, ET.Element):
            made.append(part)
        elif part and part.strip():
            made.text = _UNWRITABLE.sub(_REPLACEMENT, part)
    return made if len(made) or made.text else None


def day(name: str, on: date) -> ET.Element | None:
    """A calendar date (format 102 of UNTDID 2379)."""
    return element(name, element("udt:DateTimeString", f"{on:%Y%m%d}", format="102"))


def period(first: date, last: date) -> ET.Element | None:
    """A period of service by its first and last day, inclusive."""
    return element("ram:BillingSpecifiedPeriod", day("ram:StartDateTime", first), day("ram:EndDateTime", last))


def quantity(name: str, value: Decimal, unit: str) -> ET.Element | None:
    """A quantity with its unit (UN/ECE recommendation 20)."""
    return element(name, number_text(value), unitCode=unit)


def document(root: ET.Element | None) -> bytes:
    """The XML document in UTF-8, on one line."""
    assert root is not None, "a document says something"
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
