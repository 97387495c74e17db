"""Whether a live object still is what is wanted: a comparison that knows how server-side apply merges."""

from collections.abc import Mapping
from typing import Any

# Maps that belong to one manager as a whole, as every list does that is not named below.
_ATOMIC_MAPS = frozenset({"podSelector", "selector"})
# Lists that server-side apply merges item by item, and the fields that tell their items apart.
_MERGED_LISTS: dict[str, tuple[str, ...]] = {
    "ownerReferences": ("uid",),
    "initContainers": ("name",),
    "containers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port", "protocol"),
}


def differs(desired: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """True when applying `desired` would change `live`.

    Every field that is wanted must have its value; what others added beside it is theirs. An atomic map or list must be
    equal as a whole. The API server leaves out an empty text.
    """
    return any(_value_differs(key, wanted, live.get(key)) for key, wanted in desired.items())


def _value_differs(field: str, wanted: Any, live: Any) -> bool:
    if wanted == live:
        return False
    if isinstance(wanted, dict) and field not in _ATOMIC_MAPS:
        return not isinstance(live, dict) or differs(wanted, live)
    if isinstance(wanted, list) and field in _MERGED_LISTS:
        return not isinstance(live, list) or _items_differ(_MERGED_LISTS[field], wanted, live)
    return not (live is None and wanted == "")


def _items_differ(keys: tuple[str, ...], wanted: list[Any], live: list[Any]) -> bool:
    found = {tuple(item.get(key) for key in keys): item for item in live}
    items = ((item, found.get(tuple(item.get(key) for key in keys))) for item in wanted)
    return any(match is None or differs(item, match) for item, match in items)
