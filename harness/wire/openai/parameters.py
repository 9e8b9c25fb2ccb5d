"""Which parameters requests have at OpenAI's own host, and which efforts its models take."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected
from harness.wire.openai.families import EFFORTS, family_of
from harness.wire.openai.validate import check_type

CHAT: Final = frozenset(
    [
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
"""Those of a chat; a test compares them with the types of the SDK."""

RESPONSE: Final = frozenset(
    [
        "access_programs",
        "background",
        "background_options",
        "context_management",
        "conversation",
        "image",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "moderation",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    ]
)
"""Those of a response."""

COMPACTION: Final = frozenset(
    [
        "image",
        "input",
        "instructions",
        "model",
        "previous_response_id",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "service_tier",
    ]
)
"""Those of a compaction."""


def check_known_chat(asked: JsonObject) -> None:
    """Check that a chat has no parameters that do not exist."""
    unknown = [name for name in asked if name not in CHAT]
    if unknown:
        many = "s" if len(unknown) > 1 else ""
        raise Rejected(f"Unrecognized request argument{many} supplied: {', '.join(unknown)}")


def check_known(asked: JsonObject, known: Collection[str]) -> None:
    """Check that a request for a response or a compaction has no parameters that do not exist."""
    for name in asked:
        if name not in known:
            raise Rejected(f"Unknown parameter: '{name}'.", name, "unknown_parameter")


def check_effort(model: str, effort: object, place: str) -> None:
    """Check that a model takes an effort.

    Args:
        model: Its name.
        effort: What is asked for; None if nothing is.
        place: The parameter that says so.
    """
    if effort is None:
        return
    check_type(place, effort, (str,))
    if effort not in EFFORTS:
        raise Rejected(
            f"Invalid value: '{effort}'. Supported values are: {listed(EFFORTS)}.",
            place,
            "invalid_value",
        )
    family = family_of(model)
    values = EFFORTS if family is None else family.efforts
    if not values:
        raise Rejected(
            f"Unsupported parameter: '{place}' is not supported with this model.",
            place,
            "unsupported_parameter",
        )
    if effort not in values:
        raise Rejected(
            f"Unsupported value: '{effort}' is not supported with the '{model}' model. "
            f"Supported values are: {listed(values)}.",
            place,
            "unsupported_value",
        )


def listed(values: Collection[str]) -> str:
    """Values as the API lists them."""
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
