"""What a line of an invoice charges, in the words of its reader."""

from collections.abc import Callable, Mapping
from typing import Any

from pieced_billing.documents.words import Words


def charge_name(line: Mapping[str, Any], words: Words, shown: Callable[[str], str]) -> str:
    """What a line in the interchange format charges; of an adjustment (rule 17), on which invoice it was charged.

    A line that was carried names the month in which it was too little to be billed.

    `shown` writes what has no words of ours as the document can show it.
    """
    kinds = [line["kind"], *([line["adjusts"]] if "adjusts" in line else [])]
    names = [words.charges.get(kind) or shown(kind) for kind in kinds]
    if "adjusts" in line:
        names.insert(1, f"{line['original_invoice']}:")
    if line["package"]:
        names.append(shown(line["package"]))
    if "carried_from" in line:
        names.append(words.carried.format(month=f"{line['carried_from'][5:]}.{line['carried_from'][:4]}"))
    return " ".join(names)


def is_share_of_month(line: Mapping[str, Any]) -> bool:
    """Whether a line counts days of a month against its monthly fee."""
    charge: str = line.get("adjusts", line["kind"])
    return charge == "tenant_monthly_fee" and bool(line["unit"] == "day")
