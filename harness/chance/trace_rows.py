"""Rows of a recorded workload: a CSV file with a heading, or a file of JSON lines."""

from __future__ import annotations

import csv
import datetime
import json
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ScenarioError

JSON_LINES = (".jsonl", ".ndjson")
"""How the names of files of JSON lines end; all others are CSV."""

Row = Mapping[str, Any]
"""A row by its columns."""


def rows_in(file: str, columns: Collection[str]) -> Iterator[tuple[str, Row]]:
    """The rows of a file, each with its place as `file:line`.

    Args:
        file: The file.
        columns: What every row must have.

    Raises:
        ScenarioError: The file cannot be read, or a column is missing.
    """
    read = _json_lines if file.lower().endswith(JSON_LINES) else _csv
    try:
        yield from read(file, columns)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"{file}: the trace cannot be read: {error}") from error


def _csv(file: str, columns: Collection[str]) -> Iterator[tuple[str, Row]]:
    with Path(file).open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        _check(f"{file}:1", "the file", reader.fieldnames or (), columns)
        for row in reader:
            yield f"{file}:{reader.line_num}", row


def _json_lines(file: str, columns: Collection[str]) -> Iterator[tuple[str, Row]]:
    with Path(file).open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{file}:{number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ScenarioError(f"{place}: this line is not JSON: {error}") from None
            if not isinstance(row, dict):
                raise ScenarioError(
                    f'{place}: a line must be an object, such as {{"timestamp": 0}}'
                )
            _check(place, "the line", row, columns)
            yield place, row


def _check(place: str, what: str, has: Collection[str], columns: Collection[str]) -> None:
    for name in columns:
        if name not in has:
            raise ScenarioError(
                f"{place}: no column {name!r}; {what} has {', '.join(map(str, has)) or 'none'}"
            )


def seconds_of(value: object, place: str, unit_s: float) -> float:
    """A time: a number of some unit, or an ISO timestamp [s].

    Raises:
        ScenarioError: It is neither.
    """
    text = value.strip() if isinstance(value, str) else value
    try:
        seconds = unit_s * float(text)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        try:
            stamp = datetime.datetime.fromisoformat(text)  # type: ignore[arg-type]  # as above
        except (TypeError, ValueError):
            raise ScenarioError(
                f"{place}: {value!r} is neither seconds nor an ISO timestamp"
            ) from None
        seconds = stamp.replace(tzinfo=stamp.tzinfo or datetime.UTC).timestamp()
    if isinstance(value, bool) or not math.isfinite(seconds):
        raise ScenarioError(f"{place}: {value!r} is not a finite time")
    return seconds


def tokens_of(row: Row, column: str, place: str) -> int:
    """A size [tokens].

    Raises:
        ScenarioError: It is no whole number from 0 up.
    """
    value = row[column]
    try:
        tokens = int(value)
    except (TypeError, ValueError, OverflowError):
        tokens = None
    if tokens is None or isinstance(value, bool) or (isinstance(value, float) and value != tokens):
        raise ScenarioError(f"{place}: {column} {value!r} is not a whole number of tokens")
    if tokens < 0:
        raise ScenarioError(f"{place}: {column} {tokens} is negative")
    return tokens


def blocks_of(row: Row, column: str, place: str) -> tuple[str, ...]:
    """The ids of a prompt's blocks: a list, or in CSV a text of ids with spaces between them.

    Raises:
        ScenarioError: It is neither.
    """
    value = row[column]
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list) and all(type(each) in (int, str) for each in value):
        return tuple(map(str, value))
    raise ScenarioError(f"{place}: {column} {str(value)[:60]!r} is no list of ids")
