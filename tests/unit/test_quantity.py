"""Quantities, spelled as Kubernetes spells them; the API server itself is asked in the integration tests."""

import pytest

from pieced_operator.quantity import canonical, total


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("0", "0"),
        ("5Gi", "5Gi"),
        ("2048Mi", "2Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1Ki", "1Ki"),
        ("0.9765625Ki", "1k"),
        ("1.5m", "2m"),
        ("1024", "1024"),
        ("1000", "1k"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.1", "100m"),
        ("1.5", "1500m"),
        ("0.0001", "1m"),
        ("1000000k", "1G"),
        ("1.0001Ki", "1024103m"),
        ("1Pi", "1Pi"),
        ("007", "7"),
    ],
)
def test_canonical(text: str, spelled: str) -> None:
    assert canonical(text) == spelled


@pytest.mark.parametrize("text", ["", "Gi", "5GB", "-1", "1e3", "1_000", "٣", "1.", ".5", " 1", "1Gi\n", "1n", "1u"])
def test_what_the_schema_refuses_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity such as 5Gi or 500m"):
        canonical(text)


def test_total_adds_exactly_and_keeps_binary_suffixes() -> None:
    assert total(["512Mi", "512Mi", "1Gi"]) == "2Gi"
    assert total(["100m", "900m"]) == "1"
    assert total(["1Gi", "1"]) == "1073741825"
    assert total([]) == "0"
