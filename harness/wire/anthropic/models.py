"""The list of models, as the API gives it."""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.anthropic.catalogue import Facts, facts_of, known_models
from harness.wire.anthropic.errors import not_found
from harness.wire.anthropic.page import page

_STRUCTURED_OUTPUTS_GENERATION = 4.5
_XHIGH_EFFORT_GENERATION = 4.7


def list_of_models(of_the_run: tuple[str, ...], query: str) -> JsonObject:
    """One page of all models."""
    return page([_model(facts) for facts in known_models(of_the_run)], query)


def one_model(name: str, of_the_run: tuple[str, ...]) -> JsonObject:
    """One model.

    Raises:
        Rejection: There is none of this name.
    """
    facts = facts_of(name)
    if facts.is_unknown and name not in of_the_run:
        raise not_found(f"model: {name}")
    return _model(facts)


def _model(facts: Facts) -> JsonObject:
    return {
        "type": "model",
        "id": facts.dated,
        "display_name": facts.display_name,
        "created_at": facts.created_at,
        "lifecycle": "active",
        "line": facts.line,
        "max_input_tokens": facts.context_tokens,
        "max_tokens": facts.max_output_tokens,
        "capabilities": _capabilities(facts),
        "deprecated_at": None,
        "retires_at": None,
    }


def _capabilities(facts: Facts) -> JsonObject:
    """What it can do, under all names that SDK 2.x knows."""
    generation = facts.generation
    no, yes = _support(supported=False), _support(supported=True)
    effort = _support(supported=facts.takes_effort)
    thinks = facts.thinks_by_budget or facts.thinks_adaptively
    return {
        "batch": yes,
        "citations": yes,
        "code_execution": yes,
        "context_management": {
            **yes,
            "clear_thinking_20251015": yes,
            "clear_tool_uses_20250919": yes,
            "compact_20260112": no,
        },
        "effort": {
            **effort,
            "low": effort,
            "medium": effort,
            "high": effort,
            "xhigh": _support(supported=generation >= _XHIGH_EFFORT_GENERATION),
            "max": _support(supported=generation >= _XHIGH_EFFORT_GENERATION),
        },
        "image_input": yes,
        "pdf_input": yes,
        "server_tools": {**yes, "code_execution": yes, "web_search": yes},
        "structured_outputs": _support(supported=generation >= _STRUCTURED_OUTPUTS_GENERATION),
        "thinking": {
            **_support(supported=thinks),
            "types": {
                "adaptive": _support(supported=facts.thinks_adaptively),
                "between_tools": yes,
                "disabled": yes,
                "enabled": _support(supported=facts.thinks_by_budget),
            },
        },
    }


def _support(*, supported: bool) -> dict[str, bool]:
    return {"supported": supported}
