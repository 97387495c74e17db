"""A random customer: does to its tenants all that people and Argo CD do, one change after another.

What it does next depends on its seed and on the tenant as it is at that moment, so that it goes on whatever was lost,
restored or refused in between.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from tests.apiserver import ApiServer, Json

PACKAGES: Final = ("search", "telegram", "discord")
API_VERSION: Final = "pieced.ch/v1alpha1"
_LABEL: Final = "pieced.ch/org-id"


def tenant(name: str, *, org: str | None = None, **spec: Any) -> Json:
    """The manifest of a tenant; without an organisation it is not labelled."""
    labels = {} if org is None else {"labels": {_LABEL: org}}
    return {
        "apiVersion": API_VERSION,
        "kind": "PiecedTenant",
        "metadata": {"name": name, **labels},
        "spec": {"displayName": name, **spec},
    }


def package(name: str) -> Json:
    """The manifest of a package."""
    spec = {"displayName": name, "image": f"example/{name}:1"}
    return {"apiVersion": API_VERSION, "kind": "PiecedPackage", "metadata": {"name": name}, "spec": spec}


class Force:
    """How often finalizers may still be taken off by force.

    Where many tenants vanish unseen at once, the operator rightly waits for a person's word.
    """

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self) -> bool:
        """Use one up; False when there is none."""
        self.left -= 1
        return self.left >= 0


class Customer:
    """Some tenants, and what is done to them. Nobody else writes to these but the operator."""

    def __init__(self, api: ApiServer, names: list[str], seed: str, done: Counter[str], force: Force) -> None:
        self._api = api
        self._force = force
        self._names = names
        self._random = random.Random(seed)
        self._done = done
        self._made = 0

    def act(self) -> None:
        """One operation on one tenant. Raises ApiException and HTTPError."""
        name = self._random.choice(self._names)
        live = self._api.get(tenant(name))
        if live is None:
            operation: Callable[[str, Json], None] = self._create
        elif "deletionTimestamp" in live["metadata"]:
            operation = self._random.choices([self._touch, self._switch, self._strip], [6, 3, 1])[0]
        elif _LABEL not in live["metadata"].get("labels", {}):
            operation = self._random.choices([self._label, self._switch, self._delete], [6, 2, 1])[0]
        else:
            operation = self._random.choices(*zip(*self._life, strict=True))[0]
        if operation in (self._strip, self._strip_and_delete, self._recreate) and not self._force.take():
            operation = self._touch
        operation(name, live or {})
        self._done[operation.__name__.removeprefix("_")] += 1

    @property
    def _life(self) -> list[tuple[Callable[[str, Json], None], float]]:
        """What may be done to a tenant that lives, and how often."""
        return [
            (self._enable, 12),
            (self._disable, 12),
            (self._suspend, 14),
            (self._resume, 5),
            (self._switch, 6),
            (self._flap, 8),
            (self._apply, 8),
            (self._reorder, 6),
            (self._touch, 8),
            (self._change_nothing, 4),
            (self._try_out, 3),
            (self._forget_packages, 3),
            (self._order_ahead, 1),
            (self._delete, 5),
            (self._strip_and_delete, 1),
            (self._recreate, 1),
        ]

    def _create(self, name: str, _: Json) -> None:
        org = None if self._random.random() < 0.15 else f"31000{self._random.randint(1, 5)}"
        manifest = tenant(name, org=org, packages=self._some_packages(), suspend=self._random.random() < 0.9)
        if self._random.random() < 0.3:
            self._api.apply(manifest, manager="argocd")
        else:
            self._api.create(manifest)

    def _label(self, name: str, _: Json) -> None:
        manager = self._random.choice(["test", "labeller"])
        self._api.patch(tenant(name), {"metadata": {"labels": {_LABEL: "310001"}}}, manager=manager)

    def _enable(self, name: str, live: Json) -> None:
        packages = live["spec"]["packages"]
        new = [package for package in PACKAGES if package not in packages]
        self._order(name, packages=[*packages, *new[:1]])

    def _disable(self, name: str, live: Json) -> None:
        self._order(name, packages=live["spec"]["packages"][1:])

    def _suspend(self, name: str, _: Json) -> None:
        self._order(name, suspend=True)

    def _resume(self, name: str, _: Json) -> None:
        self._order(name, suspend=False)

    def _switch(self, name: str, live: Json) -> None:
        """Both at once."""
        self._order(name, packages=self._some_packages(), suspend=not live["spec"]["suspend"])

    def _flap(self, name: str, live: Json) -> None:
        """On, off and on again, as fast as it goes."""
        packages = live["spec"]["packages"]
        for _ in range(self._random.randint(2, 4)):
            packages = packages[1:] if packages else ["search"]
            self._order(name, packages=packages)

    def _apply(self, name: str, live: Json) -> None:
        """Another writer takes the fields over by server-side apply."""
        spec = {"packages": self._some_packages(), "suspend": live["spec"]["suspend"]}
        manifest = tenant(name, org=live["metadata"]["labels"][_LABEL], **spec)
        self._api.apply(manifest, manager=self._random.choice(["argocd", "kubectl"]))

    def _reorder(self, name: str, live: Json) -> None:
        packages = list(live["spec"]["packages"])
        self._random.shuffle(packages)
        self._order(name, packages=packages)

    def _touch(self, name: str, _: Json) -> None:
        self._made += 1
        self._api.patch(tenant(name), {"metadata": {"annotations": {"touched": str(self._made)}}}, manager="test")

    def _change_nothing(self, name: str, live: Json) -> None:
        self._order(name, suspend=live["spec"]["suspend"])

    def _try_out(self, name: str, live: Json) -> None:
        self._api.refusal(tenant(f"{name}-dry", org="310001", packages=live["spec"]["packages"]))

    def _forget_packages(self, name: str, _: Json) -> None:
        self._order(name, packages=None)

    def _order_ahead(self, name: str, live: Json) -> None:
        """A package that the catalogue gets later."""
        self._made += 1
        late = f"late-{name}-{self._made}"
        self._order(name, packages=[*live["spec"]["packages"][:3], late])
        self._api.create(package(late))

    def _delete(self, name: str, _: Json) -> None:
        self._api.delete(tenant(name))

    def _strip(self, name: str, _: Json) -> None:
        """Take the finalizers off by force."""
        self._api.patch(tenant(name), {"metadata": {"finalizers": None}}, manager="test")

    def _strip_and_delete(self, name: str, live: Json) -> None:
        self._strip(name, live)
        self._api.delete(tenant(name))

    def _recreate(self, name: str, live: Json) -> None:
        """The same name again within a second."""
        self._api.delete(tenant(name))
        self._strip(name, live)
        self._create(name, live)

    def _order(self, name: str, **spec: Any) -> None:
        self._api.patch(tenant(name), {"spec": spec}, manager=self._random.choice(["test", "portal"]))

    def _some_packages(self) -> list[str]:
        return self._random.sample(PACKAGES, self._random.randint(0, len(PACKAGES)))
