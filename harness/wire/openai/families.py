"""What the families of OpenAI's models differ in, as data with a source each: reasoning, and fields that newer ones brought.

The first line that fits a model's name without its date holds. Models that no line fits do not reason.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

_DATE = re.compile(r"-20\d\d-\d\d-\d\d$")
_VERSION = re.compile(r"gpt-(\d+)(?:\.(\d+))?")

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Every effort there is."""

_GUIDE = "https://platform.openai.com/docs/guides/reasoning"
_REFERENCE = (
    "https://platform.openai.com/docs/api-reference/chat/create#chat-create-reasoning_effort"
)
_MODELS = "https://platform.openai.com/docs/models"
_GUESS = "a guess, from the models before"


class Family(NamedTuple):
    """Models that reason alike."""

    models: re.Pattern[str]
    """Their names, without a date."""
    efforts: tuple[str, ...]
    """The efforts that they take; without any, they do not reason."""
    default: str
    """The effort where a request names none."""
    source: str


def _family(models: str, efforts: str, default: str, source: str) -> Family:
    return Family(re.compile(models), tuple(efforts.split()), default, source)


_FAMILIES = (
    _family(r"o1-(mini|preview)", "medium", "medium", _MODELS),
    _family(r"o1|o1-pro|o3|o3-mini|o3-pro|o4-mini", "low medium high", "medium", _GUIDE),
    _family(r"o[34](-mini)?-deep-research|computer-use(-preview)?", "medium", "medium", _MODELS),
    _family(r"(gpt-3|gpt-4|chatgpt-4o).*", "", "none", _GUIDE),
    _family(
        r"gpt-5(-chat-latest|-search-api)|gpt-5(\.\d+)?-image.*|gpt-chat-latest",
        "",
        "none",
        _MODELS,
    ),
    _family(r"gpt-5|gpt-5-(mini|nano)", "minimal low medium high", "medium", _REFERENCE),
    _family(r"gpt-5-pro", "high", "high", _REFERENCE),
    _family(r"(gpt-5-codex|codex-mini.*)", "low medium high", "medium", _MODELS),
    _family(r"gpt-5\.\d+-chat-latest", "medium", "medium", _MODELS),
    _family(r"gpt-5\.1(-mini)?", "none low medium high", "none", _REFERENCE),
    _family(r"gpt-5\.1-codex-max", "none low medium high xhigh", "medium", _REFERENCE),
    _family(r"gpt-5\.1-codex(-mini)?", "low medium high", "medium", _MODELS),
    _family(r"gpt-5\.[234](-mini|-nano)?", "none low medium high xhigh", "none", _REFERENCE),
    _family(r"gpt-5\.\d+-pro", "medium high xhigh", "medium", _MODELS),
    _family(r"gpt-5\.[2-9]\d*-codex.*", "low medium high xhigh", "medium", _MODELS),
    _family(r"gpt-5\.5(-cyber)?", "none low medium high xhigh", "medium", _MODELS),
    _family(r"gpt-(5\.[6-9]|6(\.\d+)?)-\w.*", " ".join(EFFORTS), "medium", _GUESS),
    _family(r"gpt-oss-.*", "low medium high", "medium", "https://console.groq.com/docs/reasoning"),
    _family(
        r"deepseek-(reasoner|r1.*)",
        " ".join(EFFORTS),
        "medium",
        "https://api-docs.deepseek.com/guides/reasoning_model",
    ),
    _family(r"gpt-rosalind.*|gpt-daybreak.*", " ".join(EFFORTS), "medium", _GUESS),
)


SINCE: Final = {
    "tool_usage": (
        5,
        0,
    ),  # Response.tool_usage; not in a recorded response of gpt-4o-mini of January 2026
    "phase": (5, 3),  # ResponseOutputMessage.phase
    "prompt_cache_retention": (5, 5),  # of these models always 24h: Response.prompt_cache_retention
    "prompt_cache_options": (5, 6),  # Response.prompt_cache_options
    "reasoning.context": (5, 6),  # Reasoning.context: all_turns by default
}
"""The version of GPT whose answers first have a field, from what the types of the SDK 3.54 say of it."""


def undated(model: str) -> str:
    """The name without the date of a snapshot."""
    return _DATE.sub("", model)


@cache
def family_of(model: str) -> Family | None:
    """The family of a model; None if no line names it."""
    plain = model.split(":")[1] if model.startswith("ft:") else model.rsplit("/", 1)[-1]
    plain = undated(plain.lower())
    return next((one for one in _FAMILIES if one.models.fullmatch(plain)), None)


def default_effort(model: str) -> str | None:
    """The effort where a request names none; None for a model that does not reason."""
    family = family_of(model)
    return family.default if family is not None and family.efforts else None


@cache
def has(model: str, field: str) -> bool:
    """Whether a model's answers have a field of `SINCE`."""
    found = _VERSION.match(model)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= SINCE[field]
