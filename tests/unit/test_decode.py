"""Resources as the API server gives them become values; what does not fit the schema is named."""

import pytest

from pieced_operator.package import decode_package
from pieced_operator.schema import ResourceInvalid
from pieced_operator.tenant import decode_tenant
from pieced_operator.tenant_status import TenantStatus, decode_status
from tests.tenants import PACKAGES, RICH_SPEC, resource, tenant


def test_a_full_tenant() -> None:
    decoded = tenant(spec=RICH_SPEC)
    assert decoded.org() == "310001"
    assert decoded.spec.packages == ("searxng-local-search", "1-telegram", "threema")
    assert decoded.spec.channel_users["threema"] == ("ECHOECHO", "ABCD1234")
    assert decoded.spec.open_claw_image is not None
    assert decoded.spec.open_claw_image.repository is None


def test_fields_of_a_later_version_are_passed_over() -> None:
    later = resource(spec={"budget": {"chf": "10"}})
    assert decode_tenant(later).spec == tenant().spec


def test_the_organisation_label_is_a_setting_and_an_empty_one_is_none() -> None:
    labelled = tenant(labels={"example.org/customer": "7", "pieced.ch/org-id": ""})
    assert labelled.org("example.org/customer") == "7"
    assert labelled.org() is None


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"packages": ["a"] * 65}, "PiecedTenant acme: spec.packages: Tuple should have at most 64 items"),
        ({"suspend": "yes"}, "PiecedTenant acme: spec.suspend: Input should be a valid boolean"),
        ({"storageSize": "big"}, "PiecedTenant acme: spec.storageSize: Value error, 'big' is not a quantity"),
        ({"displayName": None}, "PiecedTenant acme: spec.displayName: Input should be a valid string"),
    ],
)
def test_a_spec_older_than_the_schema_is_refused_with_the_field(spec: dict[str, object], message: str) -> None:
    with pytest.raises(ResourceInvalid) as refusal:
        decode_tenant(resource(spec=spec))
    assert str(refusal.value).startswith(message)
    assert refusal.value.code == "resource_invalid"


@pytest.mark.parametrize("name", ["a" * 57, "a.b"])
def test_a_name_of_which_no_namespace_can_be_named_is_refused(name: str) -> None:
    with pytest.raises(ResourceInvalid, match=r"metadata\.name: must have at most 56 characters and no dot"):
        decode_tenant(resource(name))


def test_a_package_older_than_the_schema_is_refused_with_the_field() -> None:
    with pytest.raises(ResourceInvalid, match=r"PiecedPackage threema: spec\.ports\.0\.port: Input should be less"):
        decode_package(
            PACKAGES[2] | {"spec": {"displayName": "T", "image": "t:1", "ports": [{"name": "p", "port": 70000}]}}
        )


def test_a_status_that_does_not_fit_is_as_good_as_none() -> None:
    assert decode_status(resource(status={"observedGeneration": "many"})) == TenantStatus()
    assert decode_status({}) == TenantStatus()
