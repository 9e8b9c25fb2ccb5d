"""The models that OpenAI serves: their names, aliases and context sizes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected
from harness.wire.openai.families import undated
from harness.wire.openai.model_names import NAMES

_SNAPSHOTS = {
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "gpt-4": "gpt-4-0613",
    "gpt-4-turbo": "gpt-4-turbo-2024-04-09",
    **{
        name: f"{name}-{date}"
        for name, date in (
            ("gpt-4o", "2024-08-06"),
            ("gpt-4o-mini", "2024-07-18"),
            ("gpt-4o-search-preview", "2025-03-11"),
            ("gpt-4o-mini-search-preview", "2025-03-11"),
            ("gpt-4.1", "2025-04-14"),
            ("gpt-4.1-mini", "2025-04-14"),
            ("gpt-4.1-nano", "2025-04-14"),
            ("gpt-5", "2025-08-07"),
            ("gpt-5-mini", "2025-08-07"),
            ("gpt-5-nano", "2025-08-07"),
            ("gpt-5-pro", "2025-10-06"),
            ("gpt-5.1", "2025-11-13"),
            ("gpt-5.2", "2025-12-11"),
            ("gpt-5.2-pro", "2025-12-11"),
            ("gpt-5.4", "2026-03-05"),
            ("gpt-5.4-mini", "2026-03-17"),
            ("gpt-5.4-nano", "2026-03-17"),
            ("gpt-5.4-pro", "2026-03-05"),
            ("gpt-5.5", "2026-04-23"),
            ("gpt-5.5-pro", "2026-04-23"),
            ("o1", "2024-12-17"),
            ("o1-mini", "2024-09-12"),
            ("o1-preview", "2024-09-12"),
            ("o1-pro", "2025-03-19"),
            ("o3", "2025-04-16"),
            ("o3-mini", "2025-01-31"),
            ("o3-pro", "2025-06-10"),
            ("o3-deep-research", "2025-06-26"),
            ("o4-mini", "2025-04-16"),
            ("o4-mini-deep-research", "2025-06-26"),
            ("computer-use-preview", "2025-03-11"),
        )
    },
}
"""What an alias stands for, and what answers call it (https://platform.openai.com/docs/models): the dated names of the SDK
3.54 and of genai-prices 0.2.3, where there is one for the alias."""

_CONTEXT_TOKENS = {
    "gpt-3.5-turbo": 16_385,
    "gpt-4": 8_192,
    "gpt-4-turbo": 128_000,
    "gpt-4o": 128_000,
    "chatgpt-4o": 128_000,
    "gpt-4.1": 1_047_576,
    "o1": 200_000,
    "o3": 200_000,
    "o4-mini": 200_000,
    "gpt-5": 400_000,
    "gpt-5.4": 1_050_000,
    "gpt-5.5": 1_050_000,
    "gpt-5.6": 1_050_000,
    "gpt-6": 1_050_000,
}
"""Longest context by the beginning of the name [tokens] (https://platform.openai.com/docs/models)."""

_LISTED = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini", "o4-mini")
_CREATED_S = 1_735_689_600
"""When every model says it was made: 2025-01-01 [s since 1970]."""

# A dated name, or an alias, of the first reasoning models: those whose refusals are known.
_REASONING = re.compile(r"(o1|o3|o3-mini|o4-mini|gpt-5|gpt-5-mini|gpt-5-nano)(-20\d\d-\d\d-\d\d)?")


class Unsupported(NamedTuple):
    """What some models do not take."""

    models: re.Pattern[str]
    """Their names, without a date."""
    parameters: tuple[str, ...]
    source: str


_UNSUPPORTED = (
    Unsupported(
        re.compile(r"o3|o3-pro|o4-mini|gpt-5(-mini|-nano)?"),
        ("stop",),
        "https://platform.openai.com/docs/api-reference/chat/create#chat-create-stop names o3 and o4-mini; GPT-5 as recorded",
    ),
    Unsupported(
        re.compile(
            r"o1|o1-mini|o1-preview|o1-pro|o3|o3-mini|o3-pro|o4-mini|gpt-5(-mini|-nano|-pro)?"
        ),
        (
            "presence_penalty",
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "max_tokens",
        ),
        "https://learn.microsoft.com/azure/ai-foundry/openai/how-to/reasoning lists what reasoning models do not take",
    ),
    Unsupported(
        re.compile(r"o[134].*|gpt-5.*"),
        ("max_tokens",),
        "https://platform.openai.com/docs/api-reference/chat/create#chat-create-max_tokens",
    ),
)


def takes(model: str, parameter: str) -> bool:
    """Whether a model takes a parameter of a chat."""
    plain = undated(model)
    return not any(
        parameter in rule.parameters and rule.models.fullmatch(plain) for rule in _UNSUPPORTED
    )


def snapshot(model: str) -> str:
    """The name that an answer gives its model."""
    return _SNAPSHOTS.get(model, model)


def is_reasoning(model: str) -> bool:
    """Whether it is one of the models that think first, and take neither a temperature nor a stop."""
    return _REASONING.fullmatch(model) is not None


def context_tokens(model: str) -> int | None:
    """Context size [tokens]; None if unknown."""
    known = [name for name in _CONTEXT_TOKENS if model.startswith(name)]
    return _CONTEXT_TOKENS[max(known, key=len)] if known else None


def is_known(model: str, of_run: Sequence[str]) -> bool:
    """Whether there is such a model.

    Args:
        model: Its name.
        of_run: The models that the run knows of.
    """
    if model.startswith("ft:"):  # a model that was tuned from one of those
        model = model.split(":")[1]
    return model in of_run or model in NAMES or undated(model) in NAMES


def listing(of_run: Sequence[str], *, own_host: bool) -> JsonObject:
    """The models there are; at a host of another than OpenAI those that the run states, if it states any."""
    names = dict.fromkeys([*of_run, *(_LISTED if own_host or not of_run else ())])
    return {"object": "list", "data": [_model(name) for name in names]}


def one(model: str, of_run: Sequence[str], *, own_host: bool) -> JsonObject:
    """One model; a host of another than OpenAI has models of its own, of any name.

    Raises:
        Rejected: There is none of this name.
    """
    if own_host and not is_known(model, of_run):
        raise Rejected(f"The model '{model}' does not exist", "model", "model_not_found", 404)
    return _model(model)


def _model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": _CREATED_S, "owned_by": "system"}
