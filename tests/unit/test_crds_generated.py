"""The committed custom resource definitions are those of the models: neither can change without the other."""

import runpy
from pathlib import Path

import pytest

CRDS = Path(__file__).parents[2] / "crds"
GENERATED: dict[str, str] = runpy.run_path(str(CRDS / "generate.py"))["definitions"]()


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_the_committed_definition_is_the_generated_one(name: str) -> None:
    assert (CRDS / name).read_text() == GENERATED[name], "run: python crds/generate.py"


def test_the_kustomization_lists_every_definition() -> None:
    listed = (CRDS / "kustomization.yaml").read_text()
    assert all(f"- {name}\n" in listed for name in GENERATED)
