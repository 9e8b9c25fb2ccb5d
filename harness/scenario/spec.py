"""A scenario given as a Python mapping instead of a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.errors import ScenarioError
from harness.scenario.problems import dotted
from harness.scenario.yaml_file import MAX_DEPTH, MAX_NUMBER, Document, Path_

SPEC = "<spec>"
"""What stands for the file's name."""


def document_of(spec: Mapping[str, object]) -> Document:
    """Return the document that a mapping stands for, copied; what is no plain value of YAML is refused.

    Raises:
        ScenarioError: A key is not a text, or a value is of a type that no file could hold.
    """
    return Document(SPEC, data=_plain(spec, ()), is_file=False)


def _plain(value: Any, path: Path_) -> Any:  # noqa: ANN401 - a YAML value
    if len(path) > MAX_DEPTH:
        raise ScenarioError(f"{SPEC}: nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, Mapping):
        for key in value:
            if type(key) is not str:
                _refuse(path, f"a key must be a text (got {key!r})")
        return {key: _plain(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, (*path, place)) for place, inner in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(path, f"{value} is not a finite number")
    if type(value) in (int, float):
        if not 1 / MAX_NUMBER <= (abs(value) or 1) <= MAX_NUMBER:
            _refuse(
                path,
                f"{value} is beyond {MAX_NUMBER:.0e}, or closer to 0 than {1 / MAX_NUMBER:.0e}",
            )
        return value
    if value is None or type(value) in (bool, str):
        return value
    return _refuse(path, f"{value!r} is not plain data (a {type(value).__name__})")


def _refuse(path: Path_, problem: str) -> Any:  # noqa: ANN401 - it never returns
    raise ScenarioError(f"{SPEC}: {dotted(path) or 'the whole'}: {problem}")
