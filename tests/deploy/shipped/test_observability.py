"""Dashboards and alert rules query what the parts measure, by labels that it has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.streams import PROBE, STREAMS
from tests.deploy.shipped.declared import ADDED, declared, named_in_code

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "observability"
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "dashboards").glob("*.json"))}
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
PROMETHEUS = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
SOURCES = yaml.safe_load((FOLDER / "grafana" / "datasources.yaml").read_text())["datasources"]
OF_PROMETHEUS = {"up": ADDED}
OPERATORS = ("sum", "count", "max", "min", "avg", "topk", "by", "and", "or", "unless", "offset")
FUNCTIONS = ("rate", "increase", "delta", "abs", "absent", "vector", "histogram_quantile", "last_over_time")
PROMTOOL = shutil.which("promtool")


def panels() -> Iterable[tuple[str, dict[str, Any]]]:
    return ((name, panel) for name, board in DASHBOARDS.items() for panel in board["panels"] if panel["type"] != "row")


def queries() -> dict[str, str]:
    """Every query by where it stands."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in RULES}
    for name, panel in panels():
        found |= {f"{name}: {panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    return found


def problems(query: str, known: dict[str, frozenset[str]]) -> list[str]:
    """What of a query nothing declares: metrics, labels of its selectors, labels that it groups by."""
    selectors = re.findall(
        r"\b([a-z_][a-z0-9_]*)\s*(?:\{([^}]*)\})?",
        re.sub(r"\bby\s*\([^)]*\)", "", query.replace("$__rate_interval", "5m")),
    )
    metrics = {name: labels for name, labels in selectors if name not in OPERATORS + FUNCTIONS}
    faults = [f"{name} is not measured" for name in metrics if name not in known]
    for name, labels in metrics.items():
        asked = re.findall(r'(\w+)\s*[=!]~?\s*"', labels)
        faults += [f"{name} has no {label}" for label in asked if name in known and label not in known[name]]
    grouped = {label.strip() for labels in re.findall(r"\bby\s*\(([^)]*)\)", query) for label in labels.split(",")}
    having = frozenset[str]().union(*(known.get(name, frozenset()) for name in metrics))
    return faults + [f"nothing here has {label}" for label in grouped if label not in having]


def test_what_is_known_of_metrics_is_what_the_code_declares() -> None:
    known = declared()
    missing = {name for name in named_in_code() if not any(sample.startswith(name) for sample in known)}
    assert missing - {"hydrophone_faststream", "hydrophone_test_bot"} == set()  # a prefix, and a user of Telegram


def test_every_query_names_only_what_is_measured_by_labels_that_it_has() -> None:
    known = {**declared(), **OF_PROMETHEUS}
    assert {place: faults for place, query in queries().items() if (faults := problems(query, known))} == {}
    assert problems('sum by (symbol) (rate(hydrophone_gone_total{venue="a"}[5m]))', known) != []
    assert problems('hydrophone_bus_connected{symbol="a"}', known) == ["hydrophone_bus_connected has no symbol"]


@pytest.mark.parametrize(
    "measured",
    [
        *("hydrophone_feed_state", "hydrophone_producer_events_total", "hydrophone_hop_seconds_bucket"),
        *("hydrophone_durable_pending", "hydrophone_http_requests_total", "hydrophone_http_request_seconds_bucket"),
        *('consumer="webhooks"', 'consumer="telegram"', 'hydrophone_stream_messages{stream="DLQ"}'),
        "hydrophone_bus_rtt_seconds",
    ],
)
def test_dashboards_show_what_an_operator_looks_for(measured: str) -> None:
    assert any(measured in target["expr"] for _, panel in panels() for target in panel["targets"])


def test_dashboards_are_as_grafana_takes_them() -> None:
    assert len({board["uid"] for board in DASHBOARDS.values()}) == len(DASHBOARDS)
    for board in DASHBOARDS.values():
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))
        places = [panel["gridPos"] for panel in board["panels"]]
        assert all(place["x"] + place["w"] <= 24 for place in places)
        cells = [
            (x, y)
            for at in places
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        ]
        assert len(cells) == len(set(cells)), "panels lie over each other"
    asked = {target["datasource"]["uid"] for _, panel in panels() for target in panel["targets"]}
    assert asked == {source["uid"] for source in SOURCES}


def test_every_alert_says_what_it_is_about_and_how_urgent_it_is() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_streams_of_effects_are_watched_before_they_are_full() -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == "EffectsNearlyFull"]
    named = re.search(r'stream=~"([^"]*)"', rule["expr"])
    assert named is not None
    assert set(named[1].split("|")) == {spec.name for spec in STREAMS if spec.effects} - {PROBE}


def test_every_service_of_ours_that_has_figures_is_scraped() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text())
    ours = {name for name, service in compose["services"].items() if service["image"].startswith("hydrophone:")}
    scraped = {name for job in PROMETHEUS["scrape_configs"] for one in job["dns_sd_configs"] for name in one["names"]}
    assert scraped == ours - {"provision"}  # which ends


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool (Debian's package prometheus)")
def test_promtool_takes_the_configuration_and_every_query(tmp_path: Path) -> None:
    asked = [
        {"record": f"panel{number}", "expr": query.replace("$__rate_interval", "5m").replace("$venue", ".*")}
        for number, query in enumerate(queries().values())
    ]
    (tmp_path / "panels.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": asked}]}))
    for arguments in (("config", str(FOLDER / "prometheus.yml")), ("rules", str(tmp_path / "panels.yml"))):
        done = subprocess.run([str(PROMTOOL), "check", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
