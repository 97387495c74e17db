"""An audit log told by hand, for tests of the checker: what an API server would have logged of a few requests."""

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
_LABEL = "pieced.ch/org-id"
_FINALIZER = "pieced.ch/billing"


class Log:
    """Requests at chosen seconds after nine; one object store, one counter of resource versions."""

    def __init__(self) -> None:
        self.entries: list[Json] = []
        self._objects: dict[str, Json] = {}
        self._version = 100

    def package(self, name: str, second: float) -> None:
        """A package enters the catalogue."""
        metadata = {"name": name, "creationTimestamp": _text(_second(second))}
        self._log("create", "piecedpackages", second, {"kind": "PiecedPackage", "metadata": metadata, "spec": {}}, 201)

    def create(self, uid: str, second: float, *, name: str = "acme", org: str | None = "310001", **spec: Any) -> None:
        """A tenant is created."""
        labels = {_LABEL: org} if org else {}
        metadata = {"name": name, "uid": uid, "labels": labels, "generation": 1, "managedFields": []}
        metadata["creationTimestamp"] = _text(_second(second))
        made = {"kind": "PiecedTenant", "metadata": metadata, "spec": {"suspend": False, "packages": [], **spec}}
        self._objects[uid] = made
        fields: Json = {"f:spec": {"f:suspend": {}, "f:packages": {}}}
        if org:
            fields["f:metadata"] = {"f:labels": {f"f:{_LABEL}": {}}}
        self._own("creator", second, fields)(made)
        self._commit("create", uid, second, 201)

    def accept(self, uid: str, second: float) -> None:
        """The operator puts its finalizer on."""
        self._objects[uid]["metadata"]["finalizers"] = [_FINALIZER]
        self._commit("patch", uid, second)

    def label(self, uid: str, org: str, second: float) -> None:
        """A tenant gets its organisation."""
        self._objects[uid]["metadata"]["labels"][_LABEL] = org
        self._own("labeller", second, {"f:metadata": {"f:labels": {f"f:{_LABEL}": {}}}})(self._objects[uid])
        self._commit("patch", uid, second)

    def change(self, uid: str, second: float, *, lost: bool = False, **spec: Any) -> None:
        """A tenant's spec changes; a lost line is one that a killed API server took with it."""
        one = self._objects[uid]
        one["metadata"]["generation"] += 1
        one["spec"].update(spec)
        self._own("creator", second, {"f:spec": {f"f:{field}": {} for field in spec}})(one)
        self._commit("patch", uid, second)
        if lost:
            self.entries.pop()

    def change_nothing(self, uid: str, second: float) -> None:
        """A patch that the tenant is like already: the answer has the version that was there."""
        self._log("patch", "piecedtenants", second, self._objects[uid])

    def try_out(self, uid: str, second: float, **spec: Any) -> None:
        """A dry run: the answer has a version that never was."""
        one = _copied(self._objects[uid])
        one["metadata"]["generation"] += 1
        one["spec"].update(spec)
        self._log("patch", "piecedtenants", second, one, query="?dryRun=All")

    def delete(self, uid: str, second: float) -> None:
        """The deletion of a tenant is asked for; without finalizers it is gone at once."""
        metadata = self._objects[uid]["metadata"]
        if metadata.get("finalizers"):
            metadata["generation"] += 1
            metadata["deletionTimestamp"] = _text(_second(second))
            self._commit("delete", uid, second)
        else:
            self._log("delete", "piecedtenants", second, {"kind": "Status", "details": {"uid": uid}})

    def release(self, uid: str, second: float) -> None:
        """The last finalizer goes, and the tenant with it where it is being deleted: answered with the old version."""
        self._objects[uid]["metadata"]["finalizers"] = []
        if "deletionTimestamp" in self._objects[uid]["metadata"]:
            self._log("patch", "piecedtenants", second, self._objects[uid])
        else:
            self._commit("patch", uid, second)

    def back_to(self, uid: str, generation: int) -> None:
        """As etcd had it: the version of an earlier generation is the present one again."""
        found = [entry["responseObject"] for entry in self.entries]
        old = [
            one for one in found if one["metadata"].get("uid") == uid and one["metadata"]["generation"] == generation
        ]
        self._objects[uid] = _copied(old[-1])
        self._version = int(old[-1]["metadata"]["resourceVersion"])

    def _own(self, manager: str, second: float, fields: Json) -> Any:
        def note(one: Json) -> None:
            others = [entry for entry in one["metadata"]["managedFields"] if entry["manager"] != manager]
            mine: Json = next((e["fieldsV1"] for e in one["metadata"]["managedFields"] if e["manager"] == manager), {})
            entry = {"manager": manager, "time": _text(_second(second)), "fieldsV1": {**mine, **fields}}
            one["metadata"]["managedFields"] = [*others, entry]

        return note

    def _commit(self, verb: str, uid: str, second: float, code: int = 200) -> None:
        self._version += 1
        self._objects[uid]["metadata"]["resourceVersion"] = str(self._version)
        self._log(verb, "piecedtenants", second, self._objects[uid], code)

    def _log(self, verb: str, resource: str, second: float, answer: Json, code: int = 200, query: str = "") -> None:
        received = NINE + timedelta(seconds=second)
        entry = {
            "verb": verb,
            "objectRef": {"resource": resource},
            "requestURI": f"/apis/pieced.ch/v1alpha1/{resource}{query}",
            "responseStatus": {"code": code},
            "requestReceivedTimestamp": received.isoformat(),
            "stageTimestamp": (received + timedelta(milliseconds=4)).isoformat(),
            "responseObject": _copied(answer),
        }
        self.entries.append(entry)


def _copied(one: Json) -> Json:
    return {key: _copied(value) if isinstance(value, dict) else _listed(value) for key, value in one.items()}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def _second(second: float) -> datetime:
    return (NINE + timedelta(seconds=second)).replace(microsecond=0)


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
