"""An explanation as JSON values: public, for programs and for whoever draws it elsewhere."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pieced_billing.invoicing.explain import Explained, Explanation
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.show import Recorded
from pieced_billing.money import amount_text


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """The tenant and the month, the days that count, and each line with everything that it comes from."""
    row, draft = explanation.life.row, explanation.draft
    recorded = {one.event.seq: one for one in explanation.life.events}
    return {
        "tenant": row.tenant,
        "uid": row.uid,
        "org": row.org,
        "cluster": row.cluster_id or None,
        "period": str(draft.month),
        "as_of": None if explanation.as_of is None else instant_text(explanation.as_of),
        "currency": "CHF",
        "net": amount_text(draft.net),
        "active": _texts(explanation.active),
        "billable": {package: _texts(dates) for package, dates in explanation.billable.items()},
        "lines": [_line(line, recorded) for line in explanation.lines],
        "warnings": [warning._asdict() for warning in draft.warnings],
    }


def _line(explained: Explained, recorded: Mapping[int, Recorded]) -> dict[str, Any]:
    shown = {key: value for key, value in explained.document.items() if key not in ("tenant", "uid")}
    rate = explained.vat_rate
    return {
        **shown,
        "formula": explained.formula,
        "days": _texts(explained.days),
        "price": None if explained.price is None else explained.price.document(),
        "vat": {"posture": str(explained.posture), "version": None if rate is None else rate.document()},
        "usage": [of.document() for of in explained.usage],
        "events": [recorded[event.seq].document() for event in explained.events],
    }


def _texts(dates: Iterable[date]) -> list[str]:
    return [day.isoformat() for day in dates]
