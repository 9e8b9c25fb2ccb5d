"""Every number of a page is the one that a named query of the store gives."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.metrics import findings
from harness.metrics.critical_path import critical_paths
from harness.metrics.waiting import waited
from harness.report import Side
from harness.report.palette import WORDS
from harness.report.sections.pressure import BINS
from harness.store import aggregates, queries, series
from harness.units import render
from tests.report.conftest import Drawn, number

PathKey = tuple[str, str, str]
"""An agent, a kind of time in words, a model or tool; as the first columns of a row have them."""


def test_cards_show_what_the_store_says_of_all_runs_together(drawn: Drawn) -> None:
    contents, page, _ = drawn
    side = contents.side
    totals = aggregates.totals(side.store, side.run_ids)
    met = sum(row.get("faults", 0) for row in aggregates.agents(side.store, side.run_ids))
    names = ("latency_s_p95", "cost_usd_mean", "success_rate", "output_tokens_mean")
    # Of a comparison, the means over the seeds: those are compared.
    of_seeds = contents.judgement is not None
    expected = {name: mean_of_runs(side, name) if of_seeds else totals[name] for name in names}
    expected["faults"] = met
    assert {name: number(card.value) for name, card in page.cards.items()} == exactly(expected)
    for name, card in page.cards.items():
        assert card.text == render(name, expected[name])


def test_agents_show_what_the_store_says_of_each(drawn: Drawn) -> None:
    contents, page, _ = drawn
    side, table = contents.side, page.table("agents")
    rows = aggregates.agents(side.store, side.run_ids)
    assert table.words("agent") == [row["agent"] for row in rows]
    for title, name in {
        "calls": "calls_mean", "attempts": "attempts_mean", "call, mean": "latency_s_mean", "call, p95": "latency_s_p95",
        "queue, mean": "queue_wait_s_mean", "first token, median": "ttft_s_p50", "tokens read": "input_tokens_mean",
        "written": "output_tokens_mean", "cost": "cost_usd_mean", "retries": "retries", "429": "rate_limited",
        "failed calls": "failed_calls", "utilisation": "busy_share",
    }.items():  # fmt: skip
        assert table.column(title) == exactly([row.get(name) for row in rows]), title
    path_s = path_of(side)
    on_path = [sum(s for key, s in path_s.items() if key[0] == row["agent"]) for row in rows]
    assert table.column("of the path") == pytest.approx(
        [it / sum(path_s.values()) for it in on_path]
    )


def test_critical_path_is_that_of_the_spans(drawn: Drawn) -> None:
    contents, page, _ = drawn
    table = page.table("critical-path")
    rows = list(zip(table.words("agent"), table.words("time"), table.words("model or tool"), strict=True))  # fmt: skip
    path_s = path_of(contents.side)
    whole_s = sum(path_s.values())
    found_s = dict(zip(rows, table.column("for a task"), strict=True))
    assert {key: it for key, it in found_s.items() if it} == pytest.approx(path_s)
    assert whole_s == pytest.approx(
        aggregates.totals(contents.side.store, contents.side.run_ids)["latency_s_mean"]
    )
    shares = dict(zip(rows, table.column("share"), strict=True))
    assert shares == pytest.approx({key: path_s.get(key, 0) / whole_s for key in rows})
    if contents.base is not None:
        base_s = path_of(contents.base)
        assert table.column("base") == pytest.approx([base_s.get(key, 0) for key in rows])
        assert table.column("change") == pytest.approx(
            [path_s.get(key, 0) - base_s.get(key, 0) for key in rows]
        )


@pytest.mark.parametrize(
    ("figure", "quantity"), [("latency-ecdf", "latency_s"), ("cost-ecdf", "cost_usd")]
)
def test_distributions_are_the_quantiles_of_the_store(
    drawn: Drawn, figure: str, quantity: series.Quantity
) -> None:
    contents, page, _ = drawn
    table = page.table(figure)
    shares = [int(text.partition("%")[0]) / 100 for text in table.words("share")]
    for name, side in contents.sides:
        found = series.quantiles(side.store, side.run_ids, quantity, shares)
        assert table.column(name or "value") == [found[share] for share in shares]


def test_pressure_is_that_of_the_run_that_is_named(drawn: Drawn) -> None:
    contents, page, _ = drawn
    side, table = contents.side, page.table("pressure")
    slowest = max(
        (row for row in queries.runs(side.store) if row["run_id"] in side.run_ids),
        key=lambda row: row["metrics"]["latency_s_p95"],
    )
    rows = series.pressure(side.store, slowest["run_id"], BINS)
    for title, name in {
        "from": "from_s", "until": "until_s", "requests": "attempts", "429": "rate_limited", "failed": "failed",
        "tokens read": "input_tokens", "written": "output_tokens", "waiting, mean": "waiting", "in service, mean": "in_service",
    }.items():  # fmt: skip
        assert table.column(title) == exactly([row[name] for row in rows]), title


def test_failures_and_faults_are_those_of_the_store(drawn: Drawn) -> None:
    contents, page, _ = drawn
    side = contents.side
    failed = series.failures(side.store, side.run_ids)
    if failed:
        table = page.table("failures")
        assert table.words("reason") == [row["error"] for row in failed]
        assert table.column("attempts") == [row["attempts"] for row in failed]
        assert table.column("met an injected fault") == [row["of_faults"] for row in failed]
    met = series.faults(side.store, side.run_ids)
    if met:
        table = page.table("faults", "Injected faults")
        names = (
            "attempts", "failed", "wasted_usd", "tasks", "failed_tasks", "latency_s_mean", "other_latency_s_mean",
        )  # fmt: skip
        assert len(table.values) == len(met)
        for values, row in zip(table.values, met, strict=True):
            assert [number(it) for it in values[2:]] == exactly([row[name] for name in names])


def test_waiting_is_that_of_the_critical_paths(drawn: Drawn) -> None:
    contents, page, _ = drawn
    paths = paths_of(contents.side)
    found = waited(paths)
    if not found:
        assert "waiting" not in page.tables
        return
    table = page.table("waiting")
    assert table.words("agent") == [it.agent for it in found]
    assert table.words("waited for") == [it.waited_for for it in found]
    assert table.column("times") == [it.times for it in found]
    assert table.column("for a task") == [it.wait_s / len(paths) for it in found]


def test_seeds_are_the_metrics_of_the_runs(drawn: Drawn) -> None:
    contents, page, _ = drawn
    if len(contents.side.run_ids) == 1:
        assert "seeds" not in page.tables
        return
    table = page.table("seeds")
    rows = [it for it in queries.runs(contents.side.store) if it["run_id"] in contents.side.run_ids]
    assert table.column("seed") == [row["seed"] for row in rows]
    assert len(table.titles) > 2
    for metric in table.titles[1:]:
        assert table.column(metric) == [row["metrics"][metric] for row in rows]


def test_findings_say_in_how_many_runs_there_was_one(drawn: Drawn) -> None:
    contents, page, _ = drawn
    side = contents.side
    spans, events = (
        read(side.store, side.run_ids) for read in (queries.span_tables, queries.event_tables)
    )
    counted: Counter[tuple[str, str]] = Counter()
    for run_id in side.run_ids:
        counted.update({(it.agent, it.advice) for it in findings(spans[run_id], events[run_id])})
    if not counted:
        assert "findings" not in page.tables
        return
    table = page.table("findings")
    rows = zip(table.words("agent"), table.words("advice"), strict=True)
    assert dict(zip(rows, table.column("runs"), strict=True)) == counted


def test_comparison_shows_the_means_of_both_sides(drawn: Drawn) -> None:
    contents, page, _ = drawn
    if contents.base is None:
        assert "comparison" not in page.tables
        return
    table = page.table("comparison")
    assert contents.judgement is not None
    judged = [*contents.judgement.metrics, *contents.judgement.explored]
    assert table.words("metric") == [it.metric for it in judged]
    for title, side in (("base", contents.base), ("now", contents.side)):
        means = [mean_of_runs(side, metric) for metric in table.words("metric")]
        assert table.column(title) == pytest.approx(means)
    assert table.column("change") == [it.change for it in judged]


def test_rows_of_timelines_are_stretches_of_their_spans(drawn: Drawn) -> None:
    contents, page, _ = drawn
    checked = 0
    for key, (table,) in ((key, it) for key, it in page.tables.items() if "timeline-" in key):
        run_id = contents.shown["run_id"]
        if key != "timeline-run":
            run_id = int(re.findall(r"of run (\d+)", table.caption)[0])
        spans = {row["span_id"]: row for row in queries.spans(contents.side.store, run_id)}
        task = re.findall(r"Task (\d+)", table.caption)
        shown = [it for it in spans.values() if not task or it["task"] == int(task[0])]
        zero_s = min(it["arrival_s"] for it in shown)
        for span_id, start_s, duration_s, stretches in zip(
            table.words("span"), table.column("start"), table.column("duration"), table.column("stretches"), strict=True
        ):  # fmt: skip
            if stretches != 1:
                continue
            span = spans[int(span_id)]
            moments = [span[it] for it in ("arrival_s", "start_s", "first_token_s", "end_s")]
            assert start_s is not None
            assert duration_s is not None
            for at_s in (zero_s + start_s, zero_s + start_s + duration_s):
                assert any(at_s == pytest.approx(it, abs=1e-6) for it in moments if it is not None)
            checked += 1
    assert checked > 3


def test_no_table_of_the_page_is_one_that_these_tests_do_not_know(drawn: Drawn) -> None:
    known = {
        "agents", "critical-path", "latency-ecdf", "cost-ecdf", "pressure", "failures", "faults", "waiting", "seeds",
        "comparison", "findings", "timeline-slowest", "timeline-median", "timeline-failed", "timeline-run",
    }  # fmt: skip
    assert {*drawn[1].tables} - known == {"origin"}
    assert all(value is None for row in drawn[1].table("origin").values for value in row)


def test_numbers_are_written_as_their_units_demand(drawn: Drawn) -> None:
    _, page, folder = drawn
    for place, table in tables_of(numbers_of(folder)):
        shown = page.table(place, table["caption"])
        for row, texts in zip(table["rows"], shown.texts, strict=True):
            for column, value, text in zip(table["columns"], row, texts, strict=True):
                if place == "comparison":  # of several units; the gate writes the changes
                    continue
                if value is None:
                    assert text == "-"
                elif column["name"]:
                    assert text == render(column["name"], value), column


def test_json_holds_the_numbers_of_the_page(drawn: Drawn) -> None:
    contents, page, folder = drawn
    report = numbers_of(folder)
    assert (report["scenario"], report["runs"]) == (contents.scenario, [*contents.side.run_ids])
    assert report["verdict"] == page.texts["h1"].strip()
    cards = {
        card["metric"]: card["value"]
        for section in report["sections"]
        for block in section["blocks"]
        for card in block.get("cards", ())
    }
    assert cards == {name: number(it.value) for name, it in page.cards.items()}
    count = 0
    for place, table in tables_of(report):
        shown = page.table(place, table["caption"])
        assert [it["title"] for it in table["columns"]] == shown.titles
        assert len(table["rows"]) == len(shown.values)
        for row, values in zip(table["rows"], shown.values, strict=True):
            for column, mine, value in zip(table["columns"], row, values, strict=True):
                if column["name"]:
                    assert mine == number(value)
                    count += 1
    assert count == sum(
        value is not None
        for tables in page.tables.values()
        for table in tables
        for row in table.values
        for value in row
    )


# -- what tests read --------------------------------------------------------------------------------


def exactly(expected: Any) -> Any:  # noqa: ANN401 - what pytest compares with
    """The same numbers, but for the last digit of a sum, which DuckDB's threads add up in any order."""
    return pytest.approx(expected, rel=1e-13)


def paths_of(side: Side) -> list[Any]:
    """The critical paths of the measured tasks, from the spans."""
    warmup_tasks = {row["run_id"]: row["warmup_tasks"] for row in queries.runs(side.store)}
    return [
        path
        for run_id, spans in queries.span_tables(side.store, side.run_ids).items()
        for number_, path in critical_paths(spans).items()
        if number_ > warmup_tasks[run_id]
    ]


def path_of(side: Side) -> Mapping[PathKey, float]:
    paths = paths_of(side)
    path_s: dict[PathKey, float] = defaultdict(float)
    for path in paths:
        for it in path:
            path_s[it.agent or "-", WORDS[it.kind], it.name or "-"] += it.duration_s / len(paths)
    return path_s


def mean_of_runs(side: Side, metric: str) -> float:
    values = [
        row["metrics"][metric]
        for row in queries.runs(side.store)
        if row["run_id"] in side.run_ids and metric in row["metrics"]
    ]
    return float(sum(values) / len(values))


def numbers_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def tables_of(report: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables of a report in JSON, by the id of the figure or the section that they stand in."""
    for section in report["sections"]:
        for block in section["blocks"]:
            if "table" in block:
                yield block.get("figure", section["key"]), block["table"]
