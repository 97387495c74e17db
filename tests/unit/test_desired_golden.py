"""Whole tenants as manifests, reviewed as diffs."""

import pytest

from tests.golden import FOLDER, TENANTS, rendered


@pytest.mark.parametrize("name", sorted(TENANTS))
def test_the_children_are_the_committed_ones(name: str) -> None:
    assert (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") == rendered(name), (
        "if this is meant: python -m tests.golden"
    )
