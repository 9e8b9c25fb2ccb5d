"""The JSON of a request's body, parsed as strictly as the real APIs do."""

from __future__ import annotations

import json
import re
from typing import Any

_DEPTH_MAX = 200
"""How deep values may lie in one another: far deeper than any request of a program, and than Python's stack allows."""

_HIGH = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
_LOW = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")


class JsonError(ValueError):
    """The body is not JSON; the message says why and where, as Python's parser does."""


def parse(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read a body.

    Raises:
        JsonError: It is not UTF-8, no JSON, too deep, or has a half of a surrogate pair, which no UTF-8 can carry.
    """
    try:
        text = body.decode("utf-8")
        if text.startswith(_BYTE_ORDER_MARK):
            json.loads(text)  # which says what is wrong
        value = _DECODER.decode(text)
    except RecursionError:
        raise JsonError("recursion limit exceeded") from None
    except ValueError as error:
        raise JsonError(str(error)) from None
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except (UnicodeEncodeError, RecursionError):
            found = _HIGH.search(text) or _LOW.search(text)
            raise JsonError(f"no low surrogate in string: {_place(text, found)}") from None
    if text.count("[") + text.count("{") > _DEPTH_MAX and _is_deep(value):
        raise JsonError("recursion limit exceeded")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
"""Made once: `json.loads` makes one for every value that is not read in its default way."""

_BYTE_ORDER_MARK = "\ufeff"


def _place(text: str, found: re.Match[str] | None) -> str:
    at = found.end() if found is not None else len(text)
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return f"line {line} column {column} (char {at})"


def _is_deep(value: object) -> bool:
    """Whether values lie too deep in one another; level by level, without the stack."""
    level = [value]
    for _ in range(_DEPTH_MAX):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
