"""Colours and patterns, each with one meaning in all figures, light and dark.

The hues are those of Okabe and Ito ("Color Universal Design", 2008), which people with any colour vision can tell apart;
every meaning has a pattern too, for those who see none and for paper. A colour is written into a figure as it is on white,
and a page replaces it by a CSS variable, so that one drawing serves light and dark. So no two roles share a value.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Paint(NamedTuple):
    """Colour and pattern of one meaning."""

    light: str
    """On white."""
    dark: str
    """On black."""
    hatch: str = ""
    """A pattern of matplotlib; empty for a plain fill."""


INK: Final = Paint("#1b2128", "#e8ecf0")
MUTED: Final = Paint("#57616b", "#a4afba")
RULE: Final = Paint("#d8dee4", "#39424c")

ROLES: Final[dict[str, Paint]] = {
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    # What time is spent on.
    "queue": Paint("#e69f00", "#f0b32e", "///"),
    "prefill": Paint("#7fc4ee", "#79bde6", "---"),
    "work": Paint("#0072b2", "#3f9fdb"),
    "tool": Paint("#009e73", "#2bb88e", "\\\\"),
    "retry": Paint("#d55e00", "#f0803a", "xxx"),
    "back_off": Paint("#cc79a7", "#d98fb8", "|||"),
    "silence": Paint("#8c8c8c", "#9a9a9a", "++"),
    "in_flight": Paint("#b8a200", "#e6d74a", "//"),
    "state_lock": Paint("#a0522d", "#d2966f", "||"),
    "person": Paint("#3d7a2b", "#7cb86a", "xx"),
    "overhead": Paint("#8a6fc0", "#a993da", "--"),
    "hand_off": Paint("#b6bec7", "#5c6873"),
    # Two sides.
    "candidate": Paint("#0072b3", "#3f9fdc"),
    "base": Paint("#68717a", "#9aa4ae"),
    # Good and bad.
    "good": Paint("#00795a", "#2bb88f"),
    "bad": Paint("#c2410c", "#ff8a4c"),
    "unsure": Paint("#8a6100", "#e0ac3b"),
}
"""By role; the first three are text, secondary text, and faint lines."""

WORDS: Final[dict[str, str]] = {
    "queue": "waiting at the provider",
    "prefill": "reading the prompt",
    "work": "a model or a tool at work",
    "tool": "a tool at work",
    "retry": "attempts without a reply",
    "back_off": "waiting to ask again",
    "silence": "silence of a provider",
    "in_flight": "waiting for a place in flight",
    "state_lock": "waiting for the lock of shared state",
    "person": "waiting for a person",
    "overhead": "an agent between its calls",
    "hand_off": "between turns",
}
"""What the kinds of time are called, for people."""


def css_variables(scheme: str) -> str:
    """The declarations of one scheme, `light` or `dark`, for a style sheet."""
    return "".join(
        f"--{role.replace('_', '-')}:{getattr(paint, scheme)};" for role, paint in ROLES.items()
    )


def with_variables(tag: str) -> str:
    """A tag of a drawing in light colours, with each replaced by its variable."""
    for role, paint in ROLES.items():
        tag = tag.replace(paint.light, f"var(--{role.replace('_', '-')})")
    return tag
