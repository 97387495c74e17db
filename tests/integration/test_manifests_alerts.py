"""The alert rules speak of metrics that the operator has, in PromQL that parses, and the docs say what to do."""

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from pieced_operator import metrics

PROJECT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((PROJECT / "manifests/monitoring/alerts.yaml").read_text())["spec"]["groups"]
    for rule in group["rules"]
]
EXPOSED = {
    sample_name: metric
    for metric in vars(metrics).values()
    if isinstance(metric, MetricWrapperBase)
    for description in metric.describe()
    for sample_name in (description.name, f"{description.name}_total", f"{description.name}_bucket")
}
# Those of kube-state-metrics.
OF_THE_CLUSTER = {"kube_cronjob_created", "kube_cronjob_status_last_successful_time"}
SELECTOR = re.compile(r"(pieced_\w+)(?:\{(\w+)=\"(\w+)\"\})?")

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))


@each_rule
def test_the_expression_parses(rule: dict[str, Any]) -> None:
    promql_parser.parse(rule["expr"])


@each_rule
def test_the_operator_exports_what_the_expression_names(rule: dict[str, Any]) -> None:
    selectors = SELECTOR.findall(rule["expr"])
    of_the_cluster = re.findall(r"kube_\w+", rule["expr"])
    assert selectors or of_the_cluster
    assert set(of_the_cluster) <= OF_THE_CLUSTER
    for name, label, _ in selectors:
        assert name in EXPOSED
        assert not label or label in EXPOSED[name]._labelnames
        assert name.endswith("_total") == (EXPOSED[name]._type == "counter")


@each_rule
def test_a_job_that_an_expression_names_exists(rule: dict[str, Any]) -> None:
    jobs = {
        (job["metadata"]["namespace"], job["metadata"]["name"])
        for path in (PROJECT / "manifests").rglob("*.yaml")
        for job in yaml.safe_load_all(path.read_text())
        if isinstance(job, dict) and job.get("kind") == "CronJob"
    }
    assert set(re.findall(r'namespace="([\w-]+)", cronjob="([\w-]+)"', rule["expr"])) <= jobs


@each_rule
def test_the_failure_modes_say_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert f"`{rule['alert']}`" in (PROJECT / "docs/failure-modes.md").read_text()
