"""The explanation of a tenant's month for people: its days on one row each, then line by line what each comes from."""

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Month
from pieced_cli.line_explanation import charge_rows, local, print_rows, title
from pieced_cli.month_grid import month_rows


def print_tenant(document: Mapping[str, Any]) -> None:
    """Print the explanation of one tenant UID."""
    zone = ZoneInfo(document["zone"])
    until = "" if document["as_of"] is None else f" until {local(document['as_of'], zone)}"
    heading = f"{document['tenant']}, {document['period']}{until}: CHF {document['net']} without VAT"
    print_rows(heading, _rows(document, zone))


def _rows(document: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    month = Month.parse(document["period"])
    yield f"uid {document['uid']}, organisation {document['org']}"
    yield ""
    yield from month_rows(month, {"active": document["active"], **document["billable"]})
    for line in document["lines"]:
        yield ""
        yield from title(line)
        yield from charge_rows(line, month, zone)
    for warning in document["warnings"]:
        yield ""
        yield f"Warning {warning['code']}: {warning['text']}"
    yield ""
