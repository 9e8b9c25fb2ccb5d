"""Names of agents that no test describes: readable, stable for the same prompts, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from harness.wire.api import Prompt

UNMATCHED: Final = "unmatched:"
"""How the name of a made-up agent begins where others are described; no described agent may be called so."""

_WORDS_MAX = 3
_LENGTH_MAX = 60

# Words that do not identify an agent.
_EMPTY_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "assistant",
        "at",
        "be",
        "by",
        "called",
        "do",
        "expert",
        "for",
        "good",
        "great",
        "helpful",
        "i",
        "if",
        "in",
        "is",
        "it",
        "must",
        "name",
        "named",
        "of",
        "on",
        "or",
        "our",
        "please",
        "professional",
        "should",
        "team",
        "that",
        "the",
        "this",
        "to",
        "very",
        "who",
        "will",
        "with",
        "world-class",
        "you",
        "your",
    ]
)

_KEYS = r"""
    (?i: \b(?:api[\ _-]?key|password|passwd|pwd|secret|token) \s* (?:\bis\b|[:=]) \s* \S+ )
    | (?i: \bbearer \s+ \S*\d\S* )
    | \b(?:sk|pk|rk|gh[opsu]|github_pat|glpat|xox[a-z]|hf|AKIA|AIza|eyJ) [-_]? (?=\S*\d|\S*[A-Z]) [A-Za-z0-9_.-]{8,}
    | \b\w+ :// \S+
    | \S+ @ \S+ \. \w+
"""

_LONG = r"""
    | \b (?= [A-Za-z0-9_/+=-]* \d) (?= [A-Za-z0-9_/+=-]* [A-Za-z]) [A-Za-z0-9_/+=-]{20,}
    | \b[A-Za-z0-9_/+=]{32,}
    | (?! \b\d{4}-\d\d-\d\d) \+? \b \d (?: [\ ()./-]? \d){6,} \b
"""

_SECRET_IN_MODEL: Final = re.compile(_KEYS, re.VERBOSE)
"""Passwords, API keys, e-mail addresses and URLs, as far as their looks tell."""

_SECRET: Final = re.compile(_KEYS + _LONG, re.VERBOSE)
"""The same, and whatever is long enough to be a token, an account or a telephone."""

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?:\s+|$)|\n+")
_SAYS_WHO = re.compile(
    r"\b(?:you(?:\ are|'re)\ (?:an?|the|our)\b|your\ (?:role|job|task|name)\b|act\ as\b|role\ *:)",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """A text with `***` in place of what looks like a secret."""
    return _SECRET.sub("***", text)


@dataclass(slots=True)
class Names:
    """The names given in one run.

    The same identifying words give the same name. A name is made of the first that tell something. Where that
    name has been given to others, because their prompts begin alike, it is made of what follows the common beginning.
    """

    _names: dict[tuple[str, ...], str] = field(default_factory=dict)
    """By all words that say who an agent is."""
    _taken: dict[str, int] = field(default_factory=dict)
    """How many agents wanted each name."""

    def of(self, prompt: Prompt) -> str:
        """The name of the agent that makes a call."""
        words = _words_of(prompt.system)
        if not _telling(words):
            return _of_model(prompt.model)
        name = self._names.get(words)
        if name is None:
            name = self._names[words] = self._new_name(words)
        return name

    def _new_name(self, words: tuple[str, ...]) -> str:
        name = _joined(words)
        if name in self._taken:
            alike = max(_alike(words, other) for other in self._names)
            name = _joined(words[alike:]) or name
        times = self._taken[name] = self._taken.get(name, 0) + 1
        return name if times == 1 else f"{name}-{times}"


def _words_of(system: str) -> tuple[str, ...]:
    """The words of the first sentence, and of those that identify the agent; the rest may differ from call to call."""
    sentences = [each for each in _SENTENCE_END.split(_SECRET.sub(" ", system)) if each.strip()]
    chosen = [each for n, each in enumerate(sentences) if n == 0 or _SAYS_WHO.search(each)]
    return tuple(word for each in chosen for word in _WORD.findall(each.lower()))


def _telling(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in _EMPTY_WORDS][:_WORDS_MAX]


def _joined(words: Sequence[str]) -> str:
    return "-".join(_telling(words))[:_LENGTH_MAX].rstrip("-'")


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two begin with alike."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _of_model(model: str) -> str:
    """The last part of a model's name, such as `gpt-4o-mini`."""
    words = re.findall(r"[a-z0-9.]+", _SECRET_IN_MODEL.sub("", model).rsplit("/", 1)[-1].lower())
    return "-".join(words)[:_LENGTH_MAX].strip("-.") or "agent"
