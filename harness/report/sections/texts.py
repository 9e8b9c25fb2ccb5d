"""Section: prompts and replies of the slowest task and of a failed one, if the run kept texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.json_types import JsonObject
from harness.report.blocks import Section, Step, Steps
from harness.report.contents import Contents
from harness.spans import ATTEMPT, CALL, OK, TOOL, Table
from harness.store import Store, queries, series
from harness.store.asking import Row
from harness.units import render

_SLOWEST: Final = "the slowest task"
_FAILED: Final = "the first task that did not end well"

STEPS_MAX: Final = 100
"""Maximum number of steps of one task; of more, the first and the last half of this number are shown."""


def section(contents: Contents) -> Section | None:
    """The steps of the slowest task and of the first that failed; nothing if no text of them was kept."""
    side = contents.side
    # A task stands there once: one in the middle may be the first that failed.
    blocks = [
        _steps_of(contents, row)
        for row in series.tasks_to_show(side.store, side.run_ids)
        if row["shown_as"] == "slowest" or row["status"] != OK
    ]
    if not any(step.prompt for block in blocks for step in block.steps):
        return None
    return Section(
        key="texts",
        title="What agents read and wrote",
        lead="Open a step to see its prompt and its reply. Times are since the beginning of the task. What looks like a secret was "
        "replaced before the run was stored.",
        blocks=blocks,
    )


def _steps_of(contents: Contents, row: Row) -> Steps:
    shown_as = _SLOWEST if row["shown_as"] == "slowest" else _FAILED
    title = f"Task {row['task']} of run {row['run_id']}, {shown_as}"
    return steps_of(contents.side.store, row["run_id"], row["task"], title)


def steps_of(store: Store, run_id: int, task: int, title: str) -> Steps:
    """The steps of one task.

    Args:
        store: Where the run is.
        run_id: The run.
        task: The task.
        title: What stands above them; how many they are is added.
    """
    spans = queries.span_table(store, run_id, task=task)
    events = queries.event_table(store, run_id, task=task)
    steps = list(_steps(spans, events, queries.texts(store, run_id, task=task)))
    count = len(steps)
    left_out = max(0, count - STEPS_MAX)
    if left_out:
        half = STEPS_MAX // 2
        steps = [*steps[:half], *steps[-half:]]
    return Steps(
        title=f"{title}: {count} {'step' if count == 1 else 'steps'}",
        steps=steps,
        note=f"{left_out:,} steps in the middle are left out." if left_out else "",
    )


def _steps(spans: Table, events: Table, texts: Mapping[int, Mapping[str, str]]) -> Iterator[Step]:
    rows = [dict(zip(spans.columns, row, strict=True)) for row in spans.rows()]
    agents = {row["span_id"]: row["agent"] for row in rows if row["kind"] == CALL}
    sources: dict[int, list[str]] = {}
    for span_id, name, detail in events.rows("span_id", "name", "detail"):
        if name == "heard" and detail.isdecimal() and int(detail) in agents:
            sources.setdefault(span_id, []).append(agents[int(detail)])
    attempts: dict[int, list[JsonObject]] = {}
    for row in rows:
        if row["kind"] == ATTEMPT:
            attempts.setdefault(row["parent_id"], []).append(row)
    began_s = min((row["arrival_s"] for row in rows), default=0.0)
    for row in sorted(rows, key=lambda it: (it["arrival_s"], it["span_id"])):
        if row["kind"] not in (CALL, TOOL):
            continue
        said = texts.get(row["span_id"], {})
        yield Step(
            start_s=row["arrival_s"] - began_s,
            end_s=row["end_s"] - began_s,
            who=row["agent"] or "the program",
            what=f"tool {row['name']}" if row["kind"] == TOOL else f"call of {row['model']}",
            outcome=_outcome(row, attempts.get(row["span_id"], [])),
            is_bad=row["status"] != OK,
            sources=tuple(dict.fromkeys(sources.get(row["span_id"], ()))),
            prompt=said.get("prompt"),
            reply=said.get("reply"),
        )


def _outcome(row: Mapping[str, Any], attempts: list[JsonObject]) -> str:
    """How long a step took, how it ended, and which of its attempts failed."""
    duration = render("latency_s", row["end_s"] - row["arrival_s"])
    failed = Counter(_trouble(it) for it in attempts if it["status"] != OK)
    if not failed:
        return f"{duration}, {row['error'] or row['status']}"
    if len(attempts) == 1:
        return f"{duration}, {next(iter(failed))}"
    told = "; ".join(
        f"{times} {'attempt' if times == 1 else 'attempts'}: {why}" for why, times in failed.items()
    )
    return f"{duration}, ok after {told}" if row["status"] == OK else f"{duration}, {told}"


def _trouble(attempt: Mapping[str, Any]) -> str:
    what = attempt["error"] or attempt["status"]
    status = f" ({attempt['http_status']})" if attempt["http_status"] >= 0 else ""
    fault = f" [injected fault: {attempt['fault']}]" if attempt["fault"] else ""
    return f"{what}{status}{fault}"
