"""The draft: what one organisation owes for one month, as a value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pieced_billing.calendar import Month
from pieced_billing.invoicing.adjustments import KIND, Adjustment
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.invoicing.proof import Usage
from pieced_billing.invoicing.warnings import DraftWarning, draft_warnings
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.money import amount_text, exact_sum, number_text, price_text
from pieced_billing.parties.terms import UNCONFIGURED, PartyTerms, VatPosture
from pieced_billing.rating.charges import CHARGES, rate
from pieced_billing.rating.lines import Line
from pieced_billing.rating.tenant_month import tenant_month
from pieced_billing.rating.vat import VatTotal, vat_totals

CURRENCY = "CHF"
_ORDER: Final = {charge.__name__: place for place, charge in enumerate(CHARGES)}
"""Where each kind of charge stands on a bill."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The bill of one organisation and month, before it is finalised. `net` and `gross` are CHF, rounded to 0.01.

    `adjustments` says of which lines, by index, that they put something right, and what; `usage` is that of each UID.
    """

    org: str
    month: Month
    vat_posture: VatPosture
    lines: tuple[Line, ...]
    net: Decimal
    vat: tuple[VatTotal, ...]
    gross: Decimal
    warnings: tuple[DraftWarning, ...]
    adjustments: Mapping[int, Adjustment]
    usage: Mapping[str, Usage] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The draft in the interchange format: keys in their documented order, every amount a string."""
        lines = [line_document(line) | carried_document(line, self.month) for line in self.lines]
        for index, adjustment in self.adjustments.items():
            lines[index] |= adjustment.document()
        return document_of(self.org, self.month, self.vat_posture, lines, self.vat, self.warnings)


def document_of(
    org: str,
    month: Month,
    vat_posture: VatPosture,
    lines: Sequence[Mapping[str, object]],
    vat: Sequence[VatTotal],
    warnings: Iterable[DraftWarning],
) -> dict[str, object]:
    """Lines, as documents, and their sums in the interchange format."""
    net = exact_sum(total.net for total in vat)
    return {
        "org": org,
        "period": str(month),
        "currency": CURRENCY,
        "vat_posture": vat_posture.value,
        "lines": lines,
        "net": amount_text(net),
        "vat": [
            {"rate": number_text(rate), "net": amount_text(net), "amount": amount_text(amount)}
            for rate, net, amount in vat
        ],
        "gross": amount_text(exact_sum((total.amount for total in vat), net)),
        "warnings": [warning._asdict() for warning in warnings],
    }


def draft(
    month: BillingMonth,
    org: str,
    tenants: Iterable[TenantHistory],
    terms: PartyTerms | None,
    adjusted: Sequence[Adjustment] = (),
    carried: Sequence[Draft] = (),
) -> Draft:
    """The draft of an organisation from the histories of all its tenant UIDs, in any order (rules 1 to 18).

    An organisation without a configuration (`terms` is None, or says no country) is drafted as standard (rule 14).
    The posture of the draft is that of the month's last day; each line has the rate of its own days. `adjusted` puts
    right what other months were billed, `carried` are months that were not billed and are now.
    """
    tariff = month.tariff(terms or UNCONFIGURED)
    histories = sorted(tenants, key=lambda history: (history.tenant, history.uid))
    counted = [tenant_month(history, month.days, month.until, month.billed) for history in histories]
    earlier = [line for one in carried for line in one.lines]
    lines, adjustments = _in_order(earlier, [line for tenant in counted for line in rate(tenant, tariff)], adjusted)
    vat = vat_totals(lines)
    net = exact_sum(total.net for total in vat)
    return Draft(
        org=org,
        month=month.days.month,
        vat_posture=(terms or UNCONFIGURED).posture_on(month.days.month.last),
        lines=lines,
        net=net,
        vat=vat,
        gross=exact_sum((total.amount for total in vat), net),
        warnings=(
            *(warning for one in carried for warning in one.warnings if warning.tenant is not None),
            *draft_warnings(org, counted, tariff, configured=terms is not None and terms.configured),
        ),
        adjustments=adjustments,
        usage={tenant.uid: tenant.usage for tenant in counted},
    )


def _in_order(
    earlier: Sequence[Line], lines: Sequence[Line], adjusted: Sequence[Adjustment]
) -> tuple[tuple[Line, ...], Mapping[int, Adjustment]]:
    """All lines by tenant (rule 13): those of earlier months first, adjustments last, by package and day of service."""
    if not adjusted and not earlier:
        return tuple(lines), {}
    entries: list[tuple[Line, Adjustment | None]] = [(line, None) for line in (*earlier, *lines)]
    entries += [(one.line, one) for one in sorted(adjusted, key=_place)]
    entries.sort(key=lambda entry: (entry[0].tenant, entry[0].uid, entry[1] is not None))
    return (
        tuple(line for line, _ in entries),
        {index: one for index, (_, one) in enumerate(entries) if one is not None},
    )


def _place(one: Adjustment) -> tuple[str, date, int]:
    return one.line.package or "", one.line.service_from, _ORDER[one.charge]


def is_carried_line(line: Line, month: Month) -> bool:
    """Whether a line on the bill of a month is of an earlier one that was carried to it."""
    return line.kind != KIND and Month.of(line.service_from) != month


def carried_document(line: Line, month: Month) -> dict[str, str]:
    """What a line has beyond any other on the bill of a month that it was carried to: its own month."""
    return {"carried_from": str(Month.of(line.service_from))} if is_carried_line(line, month) else {}


def line_document(line: Line) -> dict[str, Any]:
    """A line in the interchange format."""
    return {
        "tenant": line.tenant,
        "uid": line.uid,
        "kind": line.kind,
        "package": line.package,
        "service_from": line.service_from.isoformat(),
        "service_to": line.service_to.isoformat(),
        "quantity": number_text(line.quantity),
        "unit": line.unit,
        "unit_price": price_text(line.unit_price),
        "vat_rate": number_text(line.vat_rate),
        "amount": amount_text(line.amount),
    }
