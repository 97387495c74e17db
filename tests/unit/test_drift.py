"""What is a difference between a wanted and a live object, case by case."""

from typing import Any

import pytest

from pieced_operator.desired.drift import differs


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, id="a field of somebody else"),
        pytest.param({"data": {"a": "1"}}, {"data": {"a": "1", "b": "2"}}, id="a key of somebody else"),
        pytest.param(
            {"env": [{"name": "A", "value": "1"}]},
            {"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
            id="an item of somebody else, in any order",
        ),
        pytest.param({"env": [{"name": "A", "value": ""}]}, {"env": [{"name": "A"}]}, id="an empty text is left out"),
        pytest.param(
            {"ports": [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]},
            {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP", "nodePort": 30053}]},
            id="one number under two protocols",
        ),
    ],
)
def test_no_difference(wanted: dict[str, Any], live: dict[str, Any]) -> None:
    assert not differs(wanted, live)


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        pytest.param({"a": 1}, {}, id="a field that is gone"),
        pytest.param({"a": False}, {}, id="a false that is gone is no empty text"),
        pytest.param({"a": {"b": 1}}, {"a": None}, id="a map that is gone"),
        pytest.param({"args": ["a"]}, {"args": ["a", "b"]}, id="an atomic list that is longer"),
        pytest.param({"args": ["a", "b"]}, {"args": ["b", "a"]}, id="an atomic list in another order"),
        pytest.param({"selector": {"a": "1"}}, {"selector": {"a": "1", "b": "2"}}, id="a selector that selects less"),
        pytest.param({"podSelector": {}}, {"podSelector": {"matchLabels": {"a": "1"}}}, id="a selector of all pods"),
        pytest.param({"env": [{"name": "A", "value": ""}]}, {"env": [{"name": "A", "value": "1"}]}, id="filled"),
        pytest.param({"env": [{"name": "A", "value": "1"}]}, {"env": []}, id="an item that is gone"),
        pytest.param({"env": [{"name": "A", "value": "1"}]}, {}, id="a list that is gone"),
        pytest.param(
            {"ports": [{"containerPort": 1, "protocol": "TCP", "name": "a"}]},
            {"ports": [{"containerPort": 1, "protocol": "TCP", "name": "b"}]},
            id="an item that has changed",
        ),
    ],
)
def test_a_difference(wanted: dict[str, Any], live: dict[str, Any]) -> None:
    assert differs(wanted, live)
