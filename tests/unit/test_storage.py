"""A volume grows with what is ordered and never shrinks."""

from typing import Any

import pytest

from pieced_operator.desired.children import desired_children
from pieced_operator.desired.settings import Settings
from pieced_operator.desired.storage import Storage, StorageProblem, storage, with_storage
from tests.tenants import tenant


def claim(requested: str, capacity: str | None = None) -> dict[str, Any]:
    status = {"phase": "Pending"} if capacity is None else {"phase": "Bound", "capacity": {"storage": capacity}}
    return {"spec": {"resources": {"requests": {"storage": requested}}}, "status": status}


@pytest.mark.parametrize(
    ("ordered", "live", "size", "problem"),
    [
        pytest.param("5Gi", None, "5Gi", None, id="no claim yet"),
        pytest.param("5120Mi", claim("5Gi", "5Gi"), "5Gi", None, id="the same, spelled differently"),
        pytest.param("8Gi", claim("5Gi", "5Gi"), "8Gi", None, id="grows"),
        pytest.param("4Gi", claim("5Gi", "5Gi"), "5Gi", StorageProblem.CANNOT_SHRINK, id="would shrink"),
        pytest.param("5500Mi", claim("5200Mi", "6Gi"), "5500Mi", None, id="grows within what was rounded up"),
        pytest.param("5Gi", claim("5200Mi", "6Gi"), "5200Mi", StorageProblem.CANNOT_SHRINK, id="less than asked for"),
        pytest.param("6Gi", claim("10Gi", "5Gi"), "6Gi", None, id="a growth that did not happen is taken back in part"),
        pytest.param("5Gi", claim("10Gi", "5Gi"), "10Gi", StorageProblem.CANNOT_SHRINK, id="but not as far as it is"),
        pytest.param("4Gi", claim("5Gi", "5e9"), "5Gi", StorageProblem.CANNOT_SHRINK, id="a capacity we cannot read"),
        pytest.param("8Gi", claim("5Gi"), "5Gi", StorageProblem.NOT_BOUND, id="grows when it is bound"),
        pytest.param("4Gi", claim("5Gi"), "5Gi", StorageProblem.CANNOT_SHRINK, id="not even before it is bound"),
    ],
)
def test_the_size_of_the_volume(
    ordered: str, live: dict[str, Any] | None, size: str, problem: StorageProblem | None
) -> None:
    found = storage(tenant(spec={"storageSize": ordered}), live)
    assert (found.size, found.problem) == (size, problem)


def test_volume_and_quota_have_the_size_that_can_be() -> None:
    served = with_storage(tenant(spec={"storageSize": "4Gi"}), "5Gi")
    by_kind = {manifest["kind"]: manifest for manifest in desired_children(served, {}, Settings())}
    assert by_kind["PersistentVolumeClaim"]["spec"]["resources"]["requests"]["storage"] == "5Gi"
    assert by_kind["ResourceQuota"]["spec"]["hard"]["requests.storage"] == "5Gi"
    assert storage(served, claim("5Gi", "5Gi")) == Storage("5Gi", "5Gi", None)
