"""Which settings of sampling and effort a model takes, and which go together.

Words are those of published errors, except for efforts, which are a guess.
"""

from __future__ import annotations

from harness.wire.anthropic.catalogue import Facts
from harness.wire.anthropic.checks import Table, whole_number_at
from harness.wire.anthropic.errors import invalid

_DOCS = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
_LEAST_TOP_P = 0.95
_DEFAULTS = {"temperature": (1,), "top_p": (0.99, 1), "top_k": ()}
"""Values that change nothing, so that newer models take them."""

_SINCE = {"max": 4.6, "xhigh": 4.7}
"""The first generation that takes an effort: https://platform.claude.com/docs/en/build-with-claude/effort."""


def check_sampling(body: Table, facts: Facts) -> None:
    """Check temperature, top_p and top_k against the model."""
    if body.get("top_k") is not None:
        whole_number_at(body, "top_k", "top_k", 0)
    given = [name for name in _DEFAULTS if body.get(name) is not None]
    # https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7#sampling-parameters-removed
    if facts.generation >= 4.7:
        for name in given:
            if body[name] not in _DEFAULTS[name]:
                raise invalid(f"`{name}` is deprecated for this model.")
    # https://docs.claude.com/en/docs/about-claude/models/migrating-to-claude-4
    elif facts.generation >= 4.1 and {"temperature", "top_p"}.issubset(given):
        raise invalid(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        )


def check_sampling_of_thinking(body: Table) -> None:
    """Check what a request that lets its model think may not change (#feature-compatibility of the documentation)."""
    see = f"Please consult our documentation at {_DOCS}"
    if body.get("temperature") not in (None, 1):
        raise invalid(f"`temperature` may only be set to 1 when thinking is enabled. {see}")
    if body.get("top_k") is not None:
        raise invalid(f"`top_k` must be unset when thinking is enabled. {see}")
    top_p = body.get("top_p")
    if top_p is not None and top_p < _LEAST_TOP_P:
        raise invalid(
            f"`top_p` must be greater than or equal to {_LEAST_TOP_P} or unset when thinking is enabled. {see}"
        )


def check_effort(effort: str, facts: Facts) -> None:
    """Check that a model takes an effort."""
    if not facts.takes_effort:
        raise invalid("This model does not support the effort parameter.")
    if not facts.is_unknown and facts.generation < _SINCE.get(effort, 0):
        raise invalid(f"This model does not support the effort level '{effort}'.")
