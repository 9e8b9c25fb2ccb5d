"""Measured calls from cassettes, from the spans of a store, and from tables."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.calibrate.calls import MeasuredCall
from harness.cassettes import Interaction, load_cassette
from harness.cassettes.asked import model_asked
from harness.cassettes.said import error_in, said_in
from harness.errors import HarnessError
from harness.metrics.endings import TIMEOUT, attempt_endings
from harness.spans import ATTEMPT
from harness.store import Store, queries

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "model": ("model",),
    "agent": ("agent",),
    "output_tokens": ("output_tokens", "number_output_tokens"),
    "first_s": ("first_s", "ttft_s"),
    "total_s": ("total_s", "end_to_end_latency_s"),
    "error": ("error", "error_code"),
}
"""What a table may say of a call, and the names of its columns: ours, and those of LLMPerf."""

_TABLES: tuple[str, ...] = (".csv", ".json", ".jsonl")


def calls_of_file(path: Path) -> list[MeasuredCall]:
    """The calls of a cassette, or of a table if its name ends in `.csv`, `.json` or `.jsonl`.

    Raises:
        HarnessError: It cannot be read.
    """
    if path.suffix.lower() not in _TABLES:
        return [call for one in load_cassette(path).interactions if (call := _recorded(one))]
    rows = _rows(path)
    if not any(name in row for row in rows[:1] for name in _COLUMNS["total_s"]):
        raise HarnessError(
            f"{path}: no column {' or '.join(map(repr, _COLUMNS['total_s']))}\n"
            f"  A table of calls has: {', '.join(_COLUMNS)}; all but total_s may be absent"
        )
    return [_of_row(row, f"{path}: call {number}", path.stem) for number, row in enumerate(rows, 1)]


def calls_of_store(store: Store) -> list[MeasuredCall]:
    """The attempts in all runs of a store."""
    run_ids = [row["run_id"] for row in queries.runs(store)]
    found = []
    for table in queries.span_tables(store, run_ids).values():
        endings = attempt_endings(table)
        for span in (dict(zip(table.columns, row, strict=True)) for row in table.rows()):
            if span["kind"] == ATTEMPT and span["status"] in ("ok", "error"):
                found.append(_of_span(span))
            elif endings.get(span["span_id"]) == TIMEOUT:  # the client gave it up
                found.append(MeasuredCall(model=span["model"], agent=span["agent"], error=TIMEOUT))
    return found


def _of_span(span: Mapping[str, Any]) -> MeasuredCall:
    begin_s = span["start_s"]
    if span["status"] != "ok":
        return MeasuredCall(
            model=span["model"], agent=span["agent"], error=span["error"] or "error"
        )
    first_s = span["first_token_s"] - begin_s
    total_s = span["end_s"] - begin_s
    is_streamed = math.isfinite(first_s) and 0 < first_s < total_s
    return MeasuredCall(
        model=span["model"],
        agent=span["agent"],
        output_tokens=span["output_tokens"] if span["output_tokens"] >= 0 else None,
        first_s=first_s if is_streamed else None,
        total_s=total_s,
    )


def _recorded(one: Interaction) -> MeasuredCall | None:
    """A recorded call; None if it is none of a model."""
    model = model_asked(one.request)
    error = error_in(one.response)
    if error is not None:
        return MeasuredCall(model=model, agent=one.agent, error=error.kind) if model else None
    said = said_in(one.response)
    if said is None or not (said.model or model):
        return None
    timing, stated = one.response.timing, one.response.stated_s
    first_s = total_s = None
    if timing is not None and timing.complete:
        total_s = timing.end_s
        first_s = timing.first_s if one.response.is_stream else None
    elif timing is None and stated is not None and not one.response.is_stream:
        total_s = stated[1]  # of a stream, the headers tell when it began
    return MeasuredCall(
        model=model or said.model,
        agent=one.agent,
        output_tokens=said.output_tokens,
        first_s=first_s,
        total_s=total_s,
    )


def _rows(path: Path) -> list[Mapping[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError(f"{path}: the calls cannot be read: {error}") from None
    if path.suffix.lower() == ".csv":
        return list(csv.DictReader(text.splitlines()))
    try:
        lines = path.suffix.lower() == ".jsonl"
        rows = [json.loads(line) for line in text.splitlines() if line] if lines else json.loads(text)  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise HarnessError(f"{path}: this is not JSON: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise HarnessError(f"{path}: a list of objects is expected, one for each call")
    return rows


def _of_row(row: Mapping[str, Any], place: str, model: str) -> MeasuredCall:
    error = _said(row, "error")
    output_tokens = _number(row, "output_tokens", place)
    return MeasuredCall(
        model=str(_said(row, "model") or model),
        agent=str(_said(row, "agent") or ""),
        output_tokens=None if output_tokens is None else round(output_tokens),
        first_s=_number(row, "first_s", place),
        total_s=_number(row, "total_s", place),
        error="" if error in (None, "", "None", "null") else _error(error),
    )


def _error(said: object) -> str:
    return f"http_{said}" if str(said).isdigit() else str(said)


def _said(row: Mapping[str, Any], what: str) -> Any:  # noqa: ANN401 - a cell
    return next((row[name] for name in _COLUMNS[what] if row.get(name) not in (None, "")), None)


def _number(row: Mapping[str, Any], what: str, place: str) -> float | None:
    value = _said(row, what)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise HarnessError(f"{place}: {what} {value!r} is not a finite number from 0 up")
    return number
