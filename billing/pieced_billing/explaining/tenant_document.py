"""The explanation of a tenant's month as JSON values."""

from typing import Any

from pieced_billing.explaining.line_document import explained_document, texts
from pieced_billing.explaining.tenant import TenantExplanation
from pieced_billing.invoicing.draft import CURRENCY, line_document
from pieced_billing.ledger.export import instant_text
from pieced_billing.money import amount_text


def tenant_document(explanation: TenantExplanation) -> dict[str, Any]:
    """The tenant and the month, the days that count, and each line with everything that it comes from."""
    row, draft = explanation.life.row, explanation.draft
    return {
        "tenant": row.tenant,
        "uid": row.uid,
        "org": row.org,
        "cluster": row.cluster_id or None,
        "period": str(draft.month),
        "zone": explanation.days.zone.key,
        "as_of": None if explanation.as_of is None else instant_text(explanation.as_of),
        "currency": CURRENCY,
        "net": amount_text(draft.net),
        "active": texts(explanation.active),
        "billable": {package: texts(dates) for package, dates in explanation.billable.items()},
        "lines": [line_document(one.line) | explained_document(one) for one in explanation.lines],
        "warnings": [warning._asdict() for warning in draft.warnings],
    }
