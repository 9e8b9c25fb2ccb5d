"""Checks of a scenario's numbers that need several parts: files of numbers, and means of distributions.

Pydantic has checked each number; here stands what can be seen only when they come together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from harness.chance.arrivals import Trace
from harness.chance.distributions import DISTRIBUTIONS, Empirical
from harness.chance.draws import Draws
from harness.errors import ScenarioError
from harness.scenario.problems import dotted
from harness.scenario.yaml_file import MAX_NUMBER, Document, Path_

_PLAIN = (str, int, float)
"""Types of values that hold nothing else."""

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


def _parts(whole: object) -> Iterator[tuple[Path_, object]]:
    """Everything inside a record but texts and numbers, and where it stands in the file; from the first to the last."""
    left: list[tuple[Path_, object]] = [((), whole)]
    while left:
        path, part = left.pop()
        yield path, part
        inner = [
            ((*path, key), value)
            for key, value in _inside(part)
            if not isinstance(value, _PLAIN) and value is not None
        ]
        left += reversed(inner)


def _inside(part: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(part, BaseModel):
        # Not its `__dict__`, which holds properties too once they were asked for.
        stated = type(part).model_fields.items()
        return [(field.alias or name, getattr(part, name)) for name, field in stated]
    if isinstance(part, dict):
        return part.items()
    if isinstance(part, tuple):
        return enumerate(part)
    if is_dataclass(part):
        return [(field.name, getattr(part, field.name)) for field in fields(part)]
    return ()
