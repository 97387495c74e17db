"""An explained line as JSON values: public, for programs and for whoever draws it elsewhere."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pieced_billing.explaining.line import Explained


def explained_document(explained: Explained) -> dict[str, Any]:
    """What a line comes from, beyond what the line itself says."""
    rate = explained.vat_rate
    return {
        **explained.arithmetic.document(),
        "days": texts(explained.days),
        "other_days": {str(why): texts(days) for why, days in explained.other_days.items()},
        "price": None if explained.price is None else explained.price.document(),
        "vat": {"posture": str(explained.posture), "version": None if rate is None else rate.document()},
        "usage": [of.document() for of in explained.usage],
        "largest": [of.document() for of in explained.largest],
        "events": [recorded.document() for recorded in explained.events],
        "discontinuities": [seam.document() for seam in explained.seams],
        "later": explained.later.document(),
    }


def texts(dates: Iterable[date]) -> list[str]:
    """Dates as the interchange formats write them."""
    return [day.isoformat() for day in dates]
