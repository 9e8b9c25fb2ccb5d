"""What SDKs receive, held against their own types: every whole answer and every event of a stream, strictly.

Both SDKs make their objects in one place, where the type is known; they do so without validation. `watched` looks at what comes
through there.
"""

# ruff: noqa: ANN401 - JSON and types are anything
from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from unittest import mock

from tests.wire.strict_types import problems

REAL: frozenset[str] = frozenset(
    {
        # As recorded in January 2026; the types have never known them.
        "Response.billing",
        "Response.frequency_penalty",
        "Response.presence_penalty",
        "Response.store",
        # As recorded; it hides the lengths of deltas.
        "ResponseTextDeltaEvent.obfuscation",
        "ResponseRefusalDeltaEvent.obfuscation",
        "ResponseFunctionCallArgumentsDeltaEvent.obfuscation",
        "ResponseReasoningSummaryTextDeltaEvent.obfuscation",
        "ResponseCodeInterpreterCallCodeDeltaEvent.obfuscation",
        "ResponseMcpCallArgumentsDeltaEvent.obfuscation",
    }
)
"""What real answers have although the types of the SDKs do not know it."""

_UNKNOWN = re.compile(r"\.(\w+): (\w+) does not know it")


@dataclass(slots=True)
class Seen:
    """What came through an SDK."""

    problems: list[str] = field(default_factory=list)
    """Every violation of a type."""
    types: set[str] = field(default_factory=set)
    """The `type` of every object."""
    paths: set[str] = field(default_factory=set)
    """Method and path of every request that was answered with an object."""

    def look(self, data: Any, kind: Any, request: Any) -> None:
        """Hold an answer against its type."""
        if "Page" in getattr(kind, "__name__", ""):  # its type knows only what is needed to turn it
            wrong = problems(data["data"], kind.model_fields["data"].annotation)
        elif getattr(kind, "__name__", "") == "CompactedResponse":
            wrong = _of_compaction(data, kind)
        else:
            wrong = problems(data, kind)
        for problem in wrong:
            unknown = _UNKNOWN.search(problem)
            if unknown is None or f"{unknown[2]}.{unknown[1]}" not in REAL:
                self.problems.append(f"{request.method} {request.url.path}: {problem}")
        self.types.update(_types_in(data))
        self.paths.add(f"{request.method} {request.url.path}")


def _of_compaction(data: Any, kind: Any) -> list[str]:
    """The SDK's type lets only the model speak there; documented, and returned, are the messages of the user."""
    from openai.types.conversations import Message

    *told, last = data["output"]
    wrong = [problem for message in told for problem in problems(message, Message)]
    return wrong + problems({**data, "output": [last]}, kind)


def _types_in(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(data.get("type"), str):
            yield data["type"]
        for value in data.values():
            yield from _types_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from _types_in(value)


@contextmanager
def watched(sdk: ModuleType) -> Iterator[Seen]:
    """Look at all that an SDK receives.

    Args:
        sdk: The package.
    """
    client = sdk._base_client.BaseClient
    make = client._process_response_data
    seen = Seen()

    def making(self: Any, *, data: Any, cast_to: Any, response: Any) -> Any:
        seen.look(data, cast_to, response.request)
        return make(self, data=data, cast_to=cast_to, response=response)

    with mock.patch.object(client, "_process_response_data", making):
        yield seen
