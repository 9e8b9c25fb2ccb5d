"""Types of the parts of requests. A part of another type is rejected with the message of the real API.

A shape is a type; a dict of the shapes of an object's fields, none of which need be there; a list of one shape, that of
every element; or a tuple of shapes, one of which must fit.
"""

from __future__ import annotations

from typing import Any

from harness.wire.openai.validate import check_type

Shape = Any

_PART: Shape = {"type": str, "text": str, "refusal": str, "image_url": (str, dict)}
_CONTENT: Shape = (str, [_PART])
_NAME: Shape = {"name": str}
_FUNCTION: Shape = {"name": str, "description": str, "parameters": dict, "strict": bool}
_STREAM: Shape = {"include_usage": bool, "include_obfuscation": bool}
_SCHEMA: Shape = {"name": str, "schema": dict, "strict": bool}

_ITEM: Shape = {
    "type": str,
    "id": str,
    "role": str,
    "content": _CONTENT,
    "call_id": str,
    "name": str,
    "arguments": (str, dict),
    "output": _CONTENT,
    "summary": [_PART],
    "encrypted_content": str,
}

CHAT: Shape = {
    "model": str,
    "messages": [
        {
            "role": str,
            "content": _CONTENT,
            "refusal": str,
            "tool_call_id": str,
            "tool_calls": [
                {"id": str, "type": str, "function": {"name": str, "arguments": str}},
            ],
        }
    ],
    "tools": [{"type": str, "function": _FUNCTION}],
    "tool_choice": (
        str,
        {
            "type": str,
            "function": _NAME,
            "allowed_tools": {"mode": str, "tools": [{"type": str, "function": _NAME}]},
        },
    ),
    "response_format": {"type": str, "json_schema": _SCHEMA},
    "stream_options": _STREAM,
    "stop": (str, [str]),
    "prediction": {"type": str, "content": _CONTENT},
    "web_search_options": dict,
    "reasoning_effort": str,
    "service_tier": str,
    "logit_bias": dict,
    "modalities": [str],
}
"""A request for a chat."""

RESPONSE: Shape = {
    "model": str,
    "input": (str, [_ITEM]),
    "conversation": (str, {"id": str}),
    "tools": [{"type": str, "server_label": str, **_FUNCTION}],
    "tool_choice": (str, {"type": str, "mode": str, "name": str, "tools": [_NAME]}),
    "text": {"format": {"type": str, **_SCHEMA}, "verbosity": str},
    "reasoning": {
        "effort": str,
        "summary": str,
        "generate_summary": str,
        "context": str,
        "mode": str,
    },
    "service_tier": str,
    "prompt_cache_options": dict,
    "include": [str],
    "stream_options": _STREAM,
}
"""A request for a response."""


CONVERSATION: Shape = {"items": [_ITEM], "metadata": dict}
"""A request about a conversation."""


def check_shape(place: str, value: object, shape: Shape) -> None:
    """Check that a value and all its parts are what they should be.

    Args:
        place: Where it stands; empty for the whole request.
        value: The value.
        shape: What it should be.

    Raises:
        Rejected: Some part is of another type.
    """
    alternatives = shape if isinstance(shape, tuple) else (shape,)
    kinds = {_kind(one): one for one in alternatives}
    check_type(place, value, tuple(kinds))
    fitting = next(one for kind, one in kinds.items() if isinstance(value, kind))
    if isinstance(fitting, dict) and isinstance(value, dict):
        for name, inner in fitting.items():
            if value.get(name) is not None:
                check_shape(f"{place}.{name}" if place else name, value[name], inner)
    elif isinstance(fitting, list) and isinstance(value, list):
        for number, element in enumerate(value):
            check_shape(f"{place}[{number}]", element, fitting[0])


def _kind(shape: Shape) -> type:
    return shape if isinstance(shape, type) else type(shape)
