"""The input file of a batch: one request per line, with a `custom_id`, a `method`, a `url` and a `body`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.wire.json_body import JsonError, parse

_MAX_LINES = 50_000


class Line(NamedTuple):
    """One request of a batch."""

    custom_id: str
    body: JsonObject


class Problem(NamedTuple):
    """A problem of a file; the message is documented or a guess."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None

    @property
    def body(self) -> JsonObject:
        """As a batch says it."""
        return {
            "code": self.code,
            "line": self.line,
            "message": self.message,
            "param": self.param,
        }


def read_lines(content: bytes, endpoint: str) -> tuple[list[Line], list[Problem]]:
    """Read a file.

    Args:
        content: The file.
        endpoint: The endpoint that the batch is for.

    Returns:
        The requests, and what is wrong; with anything wrong, no request is made.
    """
    rows = [(number, row) for number, row in enumerate(content.split(b"\n"), 1) if row.strip()]
    if not rows:
        return [], [Problem("empty_file", "The batch input file is empty.")]
    if len(rows) > _MAX_LINES:
        return [], [
            Problem(
                "too_many_tasks",
                f"The batch input file contains more than the maximum of {_MAX_LINES} requests.",
            )
        ]
    lines: list[Line] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, row in rows:
        try:
            given = parse(row)
        except JsonError:
            given = None
        found = list(_problems(given, number, endpoint, seen))
        problems += found
        if not found and isinstance(given, dict):
            seen.add(given["custom_id"])
            lines.append(Line(given["custom_id"], given["body"]))
    return lines, problems


def _problems(given: object, number: int, endpoint: str, seen: set[str]) -> Iterator[Problem]:
    if not isinstance(given, dict):
        yield Problem("invalid_json_line", "This line is not parseable as valid JSON.", number)
        return
    for name, kind in (("custom_id", str), ("method", str), ("url", str), ("body", dict)):
        if not isinstance(given.get(name), kind):
            yield Problem(
                "missing_required_parameter" if name not in given else "invalid_type",
                f"Missing or invalid required parameter: '{name}'.",
                number,
                name,
            )
            return
    if given["custom_id"] in seen:
        yield Problem(
            "duplicate_custom_id",
            f"The custom_id '{given['custom_id']}' for this request is a duplicate of another request. "
            "The custom_id parameter must be unique for each request in a batch.",
            number,
            "custom_id",
        )
    if given["method"] != "POST":
        yield Problem("invalid_method", "The HTTP method must be POST.", number, "method")
    if given["url"] != endpoint:
        yield Problem(
            "mismatched_endpoint",
            f"The URL '{given['url']}' of this request does not match the endpoint '{endpoint}' of the batch.",
            number,
            "url",
        )
