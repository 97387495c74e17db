"""Names of children are valid whatever the tenant and the package are called."""

import re

import pytest

from pieced_operator.names import TENANT_NAME_LIMIT, namespace_of, package_child

DNS_1035_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


def test_the_longest_tenant_name_makes_a_valid_namespace_name() -> None:
    assert len(namespace_of("a" * TENANT_NAME_LIMIT)) == 63


@pytest.mark.parametrize(
    "package", ["a", "assistant", "1password", "x" * 55, "x" * 56, "x" * 63, "a" * 45 + "-" + "b" * 17]
)
def test_a_package_id_makes_a_name_that_a_service_may_have(package: str) -> None:
    assert DNS_1035_LABEL.fullmatch(package_child(package))


def test_long_ids_that_begin_alike_make_different_names() -> None:
    assert package_child("x" * 62 + "a") != package_child("x" * 62 + "b")
