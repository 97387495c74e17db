"""The children of two tenants as committed YAML.

`python -m tests.golden` writes them and the invoices of `golden_invoices.py` anew; the diff is for review.
"""

from pathlib import Path

import yaml

from pieced_operator.desired.children import desired_children
from pieced_operator.desired.settings import Settings
from pieced_operator.tenant import Tenant
from tests import golden_invoices
from tests.tenants import CATALOGUE, RICH_SPEC, tenant

FOLDER = Path(__file__).parent / "unit" / "golden"
TENANTS: dict[str, Tenant] = {
    "rich": tenant("zuend", spec=RICH_SPEC),
    "suspended": tenant("acme", spec={"suspend": True, "packages": ["threema", "not-in-the-catalogue"]}),
}


class _Dumper(yaml.SafeDumper):
    """Writes every value out, without anchors, and texts of several lines as blocks."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def rendered(name: str) -> str:
    """The children of one of the tenants."""
    children = desired_children(TENANTS[name], CATALOGUE, Settings())
    return yaml.dump_all(children, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in TENANTS:
        (FOLDER / f"{name}.yaml").write_text(rendered(name), encoding="utf-8")
    golden_invoices.FOLDER.mkdir(exist_ok=True)
    for name, content in golden_invoices.files():
        (golden_invoices.FOLDER / name).write_text(content, encoding="utf-8")
