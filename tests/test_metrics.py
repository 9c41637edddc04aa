"""What is counted, and how: bounded labels, sums over processes; and dashboard and alerts, which name what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from builders.monitored import names_in

from hub.metrics import METRICS, OTHER, Counter, Histogram, together

DOCS = Path(__file__).parent.parent / "docs"
KINDS = {metric.name: metric.kind for metric in METRICS}
LABELS = {metric.name: metric.label for metric in METRICS}
ALERTS = [
    rule
    for group in yaml.safe_load((DOCS / "grafana" / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((DOCS / "grafana" / "lienthong.json").read_text("utf-8"))
EXPRESSIONS = {
    **{rule["alert"]: [rule["expr"]] for rule in ALERTS},
    **{panel["title"]: [target["expr"] for target in panel["targets"]] for panel in DASHBOARD["panels"]},
}


# Counting.


def test_a_label_that_somebody_could_invent_makes_no_more_than_a_few_hundred_numbers() -> None:
    counter = Counter("things_total", "", "thing", ("known",))
    for number in range(5000):
        counter.add(f"invented-{number}")
    counter.add("known")
    assert len(counter.counts) <= 401
    assert counter.counts["known"] == 1
    assert sum(counter.counts.values()) == 5001
    assert counter.counts[OTHER] > 4000


def test_labels_of_a_histogram_are_bounded_too() -> None:
    histogram = Histogram("waits_seconds", "", "thing", (1.0,), ())
    for number in range(5000):
        histogram.observe(0.5, f"invented-{number}")
    assert len(histogram.counts) <= 401
    assert sum(counts[0] for counts in histogram.counts.values()) == 5000


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, 0), (1.0, 0), (1.1, 1), (5.0, 1), (5.1, 2)])
def test_what_is_observed_lies_in_the_first_bucket_that_is_not_below_it(seconds: float, bucket: int) -> None:
    histogram = Histogram("waits_seconds", "", "", (1.0, 5.0), ("",))
    histogram.observe(seconds)
    *counts, total = histogram.counts[""]
    assert counts == [float(place == bucket) for place in range(3)]
    assert total == seconds


def test_several_processes_are_added_up_label_by_label() -> None:
    one = {"a_total": {"x": 1, "y": 2}, "b_seconds": {"": [1.0, 0.0, 0.5]}}
    other = {"a_total": {"y": 3, "z": 4}, "b_seconds": {"": [0.0, 2.0, 9.0]}}
    assert together([one, other]) == {"a_total": {"x": 1, "y": 5, "z": 4}, "b_seconds": {"": [1.0, 2.0, 9.5]}}
    assert together([]) == {}


# Names.


def test_names_follow_the_conventions_of_prometheus() -> None:
    assert len(KINDS) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"lienthong_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert not re.search(r"(millis|_ms\b|minutes|hours|days|mib)", metric.name), "base units"
        assert metric.told.endswith("."), metric.name


# Dashboard and alerts.


@pytest.mark.parametrize("title", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_there_are(title: str) -> None:
    for expression in EXPRESSIONS[title]:
        named = names_in(expression, KINDS)
        assert named - {"up"} or "up{" in expression
        assert named <= set(KINDS)
        for name, label in re.findall(r"\b(lienthong_[a-z_]+)\{([a-z]+)=", expression):
            assert LABELS[name] == label
        grouped = {label for labels in re.findall(r"\bby \(([a-z, ]+)\)", expression) for label in labels.split(", ")}
        assert grouped <= {*(LABELS[name] for name in named), "job", "instance", "le"}
        assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("panel", DASHBOARD["panels"], ids=lambda panel: panel["title"])
def test_a_legend_names_labels_that_the_expression_leaves(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), target


def test_the_dashboard_has_a_place_for_each_panel_and_asks_for_its_source() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    taken = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {"${datasource}"}
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource"]


def test_every_metric_is_watched_by_the_dashboard_or_an_alert() -> None:
    watched = {name for many in EXPRESSIONS.values() for one in many for name in names_in(one, KINDS)}
    assert set(KINDS) - watched == set()


def test_the_guide_tells_of_each_alert_and_of_no_other() -> None:
    guide = (DOCS / "operate.md").read_text("utf-8").split("## Metrics")[1].split("## Traces")[0]
    told = re.findall(r"^\| ((?:`[A-Z]\w+`(?:, )?)+) \|", guide, re.MULTILINE)
    named = [name for cell in told for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(named) == sorted(rule["alert"] for rule in ALERTS)
    assert all({"summary"} == set(rule["annotations"]) and rule["labels"]["severity"] for rule in ALERTS)
