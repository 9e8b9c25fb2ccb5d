"""The contents of a request: turns of the user and of the model, each of parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.models import ChatMessage, ToolCall, ToolResult
from harness.wire.gemini.catalogue import Facts
from harness.wire.gemini.errors import Rejection
from harness.wire.gemini.fields import snake

_DATA = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse",
)  # fmt: skip
"""The fields of a part of which it has exactly one."""

_OF_THE_USER = frozenset({"", "user", "function", "tool"})
_WRAPPERS = ("result", "output", "error")
"""What the SDK puts around the result of a function that is no object."""

_NO_SIGNATURE = (
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and "
    "missing thought_signature may lead to degraded model performance. Additional data, function call "
    "`default_api:{name}` , position {position}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures "
    "for more details."
)


class Turn(NamedTuple):
    """All that one side says before the other does."""

    role: str
    """`user` or `model`."""
    parts: list[JsonObject]

    def all(self, kind: str) -> list[JsonObject]:
        """The data of its parts of a kind."""
        return [part[kind] for part in self.parts if kind in part]


def turns_of(contents: Sequence[JsonObject], request: str = "GenerateContentRequest") -> list[Turn]:
    """Read contents; neighbours of one role are one turn.

    Args:
        contents: The contents.
        request: The name of the message that has them, for errors.

    Raises:
        Rejection: They are not as the API takes them.
    """
    turns: list[Turn] = []
    for number, content in enumerate(contents):
        place = f"* {request}.contents[{number}]"
        role = content.get("role", "")
        if role not in _OF_THE_USER and role != "model":
            raise Rejection("Please use a valid role: user, model.")
        parts = content.get("parts") or []
        if not parts and role != "model":  # a model that was cut off has said nothing
            raise Rejection(f"{place}.parts: contents.parts must not be empty.\n")
        for n, part in enumerate(parts):
            check_part(part, f"{place}.parts[{n}]")
        side = "model" if role == "model" else "user"
        if turns and turns[-1].role == side:
            turns[-1].parts.extend(parts)
        else:
            turns.append(Turn(side, [*parts]))
    return turns


def check_part(part: JsonObject, place: str) -> None:
    """Check that a part has exactly one kind of data.

    Raises:
        Rejection: It has none, or several.
    """
    there = [name for name in _DATA if name in part]
    if not there:
        raise Rejection(
            f"{place}.data: required oneof field 'data' must have one initialized field\n"
        )
    if len(there) > 1:
        where = ".".join(snake(step) for step in place.split(".")[1:])
        raise Rejection(
            f"Invalid value at '{where}' (oneof), oneof field 'data' is already set. Cannot set '{there[1]}'"
        )


def check_functions(turns: Sequence[Turn]) -> None:
    """Check that every call of a function has its response, and every response its call.

    Raises:
        Rejection: One is missing.
    """
    if turns[0].role == "model" and turns[0].all("functionCall"):
        raise Rejection(
            "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
        )
    if turns[0].all("functionResponse"):
        raise Rejection(
            "Please ensure that function response turn comes immediately after a function call turn."
        )
    for turn, answer in pairwise(turns):
        if turn.role == "user":
            continue
        calls, responses = turn.all("functionCall"), answer.all("functionResponse")
        if responses and not calls:
            raise Rejection(
                "Please ensure that function response turn comes immediately after a function call turn."
            )
        if len(calls) != len(responses):
            raise Rejection(
                "Please ensure that the number of function response parts is equal to the number of function call parts "
                "of the function call turn."
            )


def check_signatures(turns: Sequence[Turn], facts: Facts) -> None:
    """Check that the calls since the user spoke last come with the signatures of the thoughts that led to them.

    Raises:
        Rejection: One is missing, and the model wants it.
    """
    if not facts.signs:
        return
    spoke = [
        n
        for n, turn in enumerate(turns)
        if turn.role == "user" and not turn.all("functionResponse")
    ]
    for position in range(spoke[-1] + 1 if spoke else 0, len(turns)):
        calls = [part for part in turns[position].parts if "functionCall" in part]
        if turns[position].role == "model" and calls and not calls[0].get("thoughtSignature"):
            name = calls[0]["functionCall"].get("name", "")
            raise Rejection(_NO_SIGNATURE.format(name=name, position=position + 1))


def conversation_of(turns: Sequence[Turn]) -> tuple[ChatMessage, ...]:
    """The turns, as every API has them; thoughts are no part of them."""
    return tuple(
        ChatMessage(
            "assistant" if turn.role == "model" else "user",
            "\n\n".join(_texts(turn.parts)),
            tuple(
                ToolCall(call.get("name", ""), call.get("args") or {})
                for call in turn.all("functionCall")
            ),
            tuple(
                ToolResult(one.get("name", ""), text_of_response(one), _is_error(one))
                for one in turn.all("functionResponse")
            ),
        )
        for turn in turns
    )


def text_of_response(response: JsonObject) -> str:
    """What a function returned, as text."""
    said = response.get("response") or {}
    only = next(iter(said)) if len(said) == 1 else ""
    if only in _WRAPPERS and isinstance(said[only], str):
        return str(said[only])
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _is_error(response: JsonObject) -> bool:
    said = response.get("response") or {}
    return "error" in said and not {"result", "output"} & said.keys()


def text_of(content: JsonObject) -> str:
    """The text of a content."""
    return "\n\n".join(_texts(content.get("parts") or []))


def _texts(parts: Sequence[JsonObject]) -> Iterator[str]:
    return (part["text"] for part in parts if part.get("text") and not part.get("thought"))
