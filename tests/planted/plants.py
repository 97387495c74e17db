"""One error for each rule: a small change of the engine's text that breaks this rule and little else."""

from typing import NamedTuple


class Plant(NamedTuple):
    """Replace `right`, which must stand exactly once in the file, by `wrong`."""

    rule: int
    file: str
    right: str
    wrong: str
    compared: bool = True
    """Whether bills can show it: what only refuses or records is shown by the rule's own tests alone."""


PLANTS = (
    Plant(1, "calendar.py", "datetime.combine(day, time.min, zone)", "datetime.combine(day, time.min, UTC)"),
    Plant(2, "ledger/fold.py", "in sorted(moments)", "in sorted(moments, key=lambda moment: (moment[0], -moment[1]))"),
    Plant(3, "ledger/fold.py", "(course, max(at, created_at), package)", "(course, at, package)"),
    Plant(3, "ledger/fold.py", "until if deleted_at is None else min(until, deleted_at)", "until"),
    Plant(4, "ledger/fold.py", "(package, max(since, start), at)", "(package, since, at)"),
    Plant(5, "calendar.py", "bisect_left(self.bounds, end)", "bisect_right(self.bounds, end)"),
    Plant(5, "ledger/fold.py", "if start < end:", "if start <= end:"),
    Plant(6, "prices/versions.py", "_start(version) >= _start(deciding)", "_start(version) > _start(deciding)"),
    Plant(7, "prices/changes.py", "if not is_first or not finalised:", "if is_first or not finalised:", compared=False),
    Plant(7, "prices/book.py", "date(2024, 1, 1)", "date(2023, 12, 31)"),
    Plant(8, "rating/package_setup_fee.py", "PACKAGE_DAILY_PRICE, package) is None", "PACKAGE_DAILY_PRICE) is ..."),
    Plant(9, "prices/changes.py", "if Month.of(start) == month", "if start == month.last", compared=False),
    Plant(10, "rating/tenant_month.py", "or not quantity:", "or at < history.created_at:"),
    Plant(11, "rating/tariff.py", "key=lambda entry: entry[1])", "key=lambda entry: (entry[1][0], entry[1][1] > 0))"),
    Plant(
        11,
        "rating/tariff.py",
        "if price is not None:",
        "if price is not None and (not runs or price != runs[0].price):",
    ),
    Plant(12, "money.py", "abs(numerator) + denominator)", "abs(numerator) + denominator - 1)"),
    Plant(12, "rating/charges.py", " if line.amount]", "]"),
    Plant(13, "invoicing/draft.py", "(history.tenant, history.uid)", "(history.uid, history.tenant)"),
    Plant(13, "rating/lines.py", "dates[last_day(days)],", "dates[first_day(days) + count - 1],"),
    Plant(14, "parties/terms.py", '{"CH", "LI"}', '{"CH"}'),
    Plant(14, "rating/vat.py", "terms.posture_on(day)", "terms.posture_on(day.replace(day=1))"),
    Plant(
        15,
        "rating/vat.py",
        "_vat_total(rate, exact_sum(nets[rate]))",
        "VatTotal(rate, exact_sum(nets[rate]), exact_sum(_vat_total(rate, net).amount for net in nets[rate]))",
    ),
    Plant(16, "invoicing/month.py", "min(days.end, as_of + 1)", "min(days.end, as_of)"),
    Plant(17, "invoicing/adjustments.py", "amount=correct - billed", "amount=correct"),
    Plant(17, "invoicing/adjustments.py", "(*now, *was)", "now"),
    Plant(17, "invoicing/adjustments.py", "days_billed & ~one.returned | one.line.days", "days_billed | one.line.days"),
    Plant(17, "invoicing/adjustments.py", "line.unit_price, line.vat_rate", "line.unit_price, line.unit_price"),
    Plant(17, "invoicing/adjustments.py", " if one.invoice_id == bill.invoice_id)", ")", compared=False),
    Plant(17, "invoicing/issue.py", "CREDIT_NOTE if draft.gross < 0", "CREDIT_NOTE if not draft.gross", compared=False),
    Plant(17, "invoicing/credit.py", "-total.net == net_left or ", "", compared=False),
    Plant(17, "invoicing/credit.py", "if amount > whole:", "if amount > original.gross_left:", compared=False),
    Plant(
        18, "rating/tenant_month.py", "timeline.first_active_at, days, billed)", "timeline.first_active_at, days, -1)"
    ),
)
