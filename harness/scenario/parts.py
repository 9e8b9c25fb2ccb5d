"""Checks of a scenario's numbers that need several parts: files of numbers, and means of distributions.

Pydantic has checked each number; here stands what can be seen only when they come together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from harness.chance.arrivals import Trace
from harness.chance.distributions import DISTRIBUTIONS, Empirical
from harness.chance.draws import Draws
from harness.errors import ScenarioError
from harness.scenario.problems import dotted
from harness.scenario.yaml_file import MAX_NUMBER, Document, Path_

_DISTRIBUTION_TYPES: tuple[type[Any], ...] = tuple(DISTRIBUTIONS.values())


def check_parts(spec: BaseModel, document: Document) -> None:
    """Look at every distribution and every file of numbers once, before anything has run.

    Raises:
        ScenarioError: Names each that is wrong, with its place.
    """
    problems = [
        f"{document.place(path)}: {dotted(path)}: {problem}"
        for path, part in _parts(spec)
        if (problem := _problem_of(part)) is not None
    ]
    if problems:
        raise ScenarioError(*problems)


def files_of_numbers(spec: BaseModel) -> list[str]:
    """The files of numbers that a scenario reads while it runs."""
    found = [part.file for _, part in _parts(spec) if isinstance(part, Trace | Empirical)]
    return [file for file in found if file is not None]


def _problem_of(part: object) -> str | None:
    try:
        if isinstance(part, Trace) and not sum(1 for _ in part.arrivals(Draws(0))):
            return f"{part.file}: holds no rows"
        if isinstance(part, _DISTRIBUTION_TYPES) and part.mean > MAX_NUMBER:
            return f"the mean of this distribution is above {MAX_NUMBER:.0e}"
    except ScenarioError as error:
        return str(error)
    except OverflowError:
        return "this leads to numbers that are too large"
    return None


def _parts(part: object, path: Path_ = ()) -> Iterator[tuple[Path_, object]]:
    """Everything inside a record, and where it stands."""
    yield path, part
    inner: list[tuple[str | int, Any]] = []
    if isinstance(part, BaseModel):
        inner = list(part)
    elif isinstance(part, dict):
        inner = list(part.items())
    elif isinstance(part, tuple):
        inner = list(enumerate(part))
    elif is_dataclass(part):
        inner = [(field.name, getattr(part, field.name)) for field in fields(part)]
    for key, value in inner:
        yield from _parts(value, (*path, key))
