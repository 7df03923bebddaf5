"""`make docs`: writes packaging/observability/board.json, of board.toml beside it."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "packaging" / "observability"
PANELS, BOARD = FOLDER / "board.toml", FOLDER / "board.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
ON = 'job="$job", instance=~"$instance"'
WIDTH = 24  # of a board, in Grafana's columns
NUMBER = {"w": 3, "h": 4}
PANEL = {"w": 8, "h": 8}

Json = dict[str, Any]


def made(rows: list[Json]) -> str:
    """The board as Grafana imports it."""
    board = {
        "title": "hookbundle",
        "uid": "hookbundle",
        "tags": ["hookbundle"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,  # one line over all panels
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "annotations": {"list": [_starts()]},
        "panels": list(_panels(rows)),
    }
    return json.dumps(board, indent=1, ensure_ascii=False) + "\n"


def _panels(rows: list[Json]) -> Iterator[Json]:
    y = 0
    for row in rows:
        size = NUMBER if "number" in row else PANEL
        yield _row(row["title"], y)
        y += 1
        x = 0
        for panel in row.get("number", []) + row.get("panel", []):
            if x + size["w"] > WIDTH:
                x, y = 0, y + size["h"]
            yield _panel(panel, {**size, "x": x, "y": y}, is_number="number" in row)
            x += size["w"]
        y += size["h"]


def _row(title: str, y: int) -> Json:
    place = {"w": WIDTH, "h": 1, "x": 0, "y": y}
    return {"type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(panel: Json, place: Json, *, is_number: bool) -> Json:
    shown: Json = {"unit": panel.get("unit", "short"), "min": 0}
    if is_number:
        shown |= {"thresholds": _thresholds(panel), "color": {"mode": "thresholds"}}
    return {
        "type": "stat" if is_number else "timeseries",
        "title": panel["title"],
        "description": panel.get("help", ""),
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": shown, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": expression.replace("$on", ON),
                "legendFormat": legend,
            }
            for number, (legend, expression) in enumerate(panel["series"])
        ],
    }


def _thresholds(panel: Json) -> Json:
    if "bad_below" in panel:
        colours = [("red", None), ("green", panel["bad_below"])]
    elif "bad_from" in panel:
        colours = [("green", None), ("red", panel["bad_from"])]
    else:
        colours = [("text", None)]
    return {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in colours]}


def _variables() -> list[Json]:
    return [
        {"name": "source", "type": "datasource", "query": "prometheus", "label": "Data source"},
        _chosen("job", "label_values(hookbundle_info, job)"),
        _chosen("instance", 'label_values(hookbundle_info{job="$job"}, instance)', several=True),
    ]


def _chosen(name: str, query: str, *, several: bool = False) -> Json:
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,  # whenever the time changes
        "multi": several,
        "includeAll": several,
        **({"current": {"text": "All", "value": "$__all"}} if several else {}),
    }


def _starts() -> Json:
    """A line for each start of a daemon."""
    return {
        "name": "starts",
        "enable": True,
        "datasource": SOURCE,
        "expr": f"changes(hookbundle_start_time_seconds{{{ON}}}[2m]) > 0",
        "iconColor": "blue",
        "titleFormat": "started",
    }


if __name__ == "__main__":
    found = tomllib.loads(PANELS.read_text(encoding="utf-8"))["row"]
    BOARD.write_text(made(found), encoding="utf-8")
