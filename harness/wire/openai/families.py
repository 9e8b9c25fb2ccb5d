"""What the families of OpenAI's models differ in, as data with a source each: reasoning, and fields that newer ones brought.

The first line that fits a model's name without its date holds. Models that no line fits do not reason.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

_DATE = re.compile(r"-20\d\d-\d\d-\d\d$")
_VERSION = re.compile(r"gpt-(\d+)(?:\.(\d+))?(?![\d.]*o)")

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
    _family(r"gpt-rosalind.*|gpt-daybreak.*", " ".join(EFFORTS), "medium", _GUESS),
)


class News(NamedTuple):
    """Fields that a version brought, in answers of its models and of later ones."""

    phase: bool = False
    """Whether a message says if it is a comment or the final answer."""
    context: str | None = None
    """Which earlier reasoning a model reads, unless a request says so."""
    retention: str | None = None
    """How long prompts stay in the cache."""
    cache_options: bool = False
    """Whether answers say how the cache was used."""


_NEWS: Final = (
    # Newest first. From the types of the SDK 3.54: ResponseOutputMessage.phase, Reasoning.context,
    # Response.prompt_cache_retention, Response.prompt_cache_options.
    ((5, 6), News(phase=True, context="all_turns", retention="24h", cache_options=True)),
    ((5, 5), News(phase=True, retention="24h")),
    ((5, 3), News(phase=True)),
)


def undated(model: str) -> str:
    """The name without the date of a snapshot."""
    return _DATE.sub("", model)


@cache
def family_of(model: str) -> Family | None:
    """The family of a model; None if no line names it."""
    plain = undated(model.split(":")[1] if model.startswith("ft:") else model)
    return next((one for one in _FAMILIES if one.models.fullmatch(plain)), None)


def default_effort(model: str) -> str | None:
    """The effort where a request names none; None for a model that does not reason."""
    family = family_of(model)
    return family.default if family is not None and family.efforts else None


@cache
def news_of(model: str) -> News:
    """The newer fields of a model's answers."""
    found = _VERSION.match(model)
    version = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    return next((news for since, news in _NEWS if version >= since), News())
