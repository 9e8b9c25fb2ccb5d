"""What the fields of a request for a reply must be; the rules on its messages are in `turns.py`.

The words are those of recorded errors and of published logs where there are any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.models.schemas import mistake
from harness.wire.anthropic.catalogue import Facts, exists, names_of_models
from harness.wire.anthropic.checks import (
    Table,
    as_table,
    list_at,
    nothing_else,
    table_at,
    tag_at,
    text_at,
    truth_at,
    whole_number_at,
)
from harness.wire.anthropic.envelope import NEW_VERSION
from harness.wire.anthropic.errors import invalid, not_found
from harness.wire.anthropic.extras import (
    TOOL,
    TOOL_TYPES,
    check_choice,
    check_named_values,
    check_output_config,
    check_thinking,
)
from harness.wire.anthropic.sampling import (
    check_effort,
    check_sampling,
    check_sampling_of_thinking,
)
from harness.wire.anthropic.structured import check_format, check_strict
from harness.wire.api import no_such_model

_FIELDS = frozenset(
    {
        "model",
        "max_tokens",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "stop_sequences",
        "stream",
        "metadata",
        "service_tier",
        "speed",
        "cache_control",
        "container",
        "inference_geo",
        "diagnostics",
    }
)
_FIELDS_BEFORE = _FIELDS | {"temperature", "top_p", "top_k"}
"""With the fields for sampling, which the newest version has no more."""
_BETA_FIELDS = frozenset(
    {
        "mcp_servers",
        "context_management",
        "compaction",
        "thread",
        "fallbacks",
        "fallback_credit_token",
        "billing_policy",
        "output_format",
    }
)
"""Fields that a request may have that names a beta feature, whichever."""

_ELSEWHERE = frozenset({"model", "max_tokens", "messages", "system", "tools", "stream"})
"""Fields of every version that have their rules elsewhere."""

_TABLES = ("thinking", "output_config", "tool_choice", "cache_control", "metadata")
"""Fields that are objects, where they are there."""

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""What `output_config.effort` may be."""

_TOOL_NAME = r"^[a-zA-Z0-9_-]{1,128}$"
_MIN_THINKING_TOKENS = 1024
_MAX_BREAKPOINTS = 4
_DOCS = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"

_NO_SCHEMA = (
    "JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12). "
    "Learn more about tool use at https://docs.claude.com/en/docs/tool-use."
)

_TTL_S = {"5m": 300.0, "1h": 3600.0}


def check_model(model: str, of_the_run: tuple[str, ...]) -> None:
    """Require a model that exists, or that the run declares.

    Raises:
        Rejection: There is none of this name.
    """
    if not exists(model) and model not in of_the_run:
        hint = no_such_model(model, [*names_of_models(), *of_the_run])
        raise not_found(f"model: {model}", hint=hint)


def check_fields(body: Table, version: str, betas: str) -> None:
    """Reject unknown fields; the known ones depend on the version."""
    if body.keys() <= _ELSEWHERE:
        return
    known = _FIELDS if version == NEW_VERSION else _FIELDS_BEFORE
    nothing_else(body, known | _BETA_FIELDS if betas else known)
    for name in _TABLES:
        if body.get(name) is not None:
            as_table(body[name], name)
    servers = list_at(body, "mcp_servers", "mcp_servers") if body.get("mcp_servers") else []
    for number, server in enumerate(servers):
        as_table(server, f"mcp_servers.{number}")
    config = body.get("output_config") or {}
    check_output_config(config, betas)
    check_named_values(body)
    if config.get("effort") is not None and config["effort"] not in EFFORTS:
        raise invalid(
            "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"
        )
    if config.get("format") is not None:
        as_table(config["format"], "output_config.format")
    for name in ("temperature", "top_p"):
        value = body.get(name, 0)
        if value is not None and not (isinstance(value, (int, float)) and 0 <= value <= 1):
            raise invalid(f"{name}: range: 0..1")


def check_settings(body: Table, facts: Facts, betas: str) -> None:
    """Check all that is neither model nor messages nor tools."""
    max_tokens = whole_number_at(body, "max_tokens", "max_tokens", 0)
    longest = facts.max_output_tokens
    if longest is not None and max_tokens > longest:
        raise invalid(
            f"max_tokens: {max_tokens} > {longest}, which is the maximum allowed number of output tokens for {facts.dated}"
        )
    config = body.get("output_config") or {}
    if config.get("effort") is not None:
        check_effort(config["effort"], facts)
    if config.get("format") is not None:
        check_format(config["format"], facts)
    check_sampling(body, facts)
    truth_at(body, "stream", "stream")
    words = list_at(body, "stop_sequences", "stop_sequences") if body.get("stop_sequences") else []
    for number, word in enumerate(words):
        if not isinstance(word, str):
            raise invalid(f"stop_sequences.{number}: Input should be a valid string")
        if not word.strip():
            raise invalid("stop_sequences: each stop sequence must contain non-whitespace")
    if body.get("thinking") is not None:
        _check_thinking(body, body["thinking"], facts, max_tokens, betas)


def check_tools(body: Table, betas: str) -> None:
    """Check the tools, and the choice among them."""
    tools = list_at(body, "tools", "tools") if body.get("tools") is not None else []
    for number, tool in enumerate(tools):
        if as_table(tool, f"tools.{number}").get("type") is not None and not betas:
            tag_at(tool, f"tools.{number}", TOOL_TYPES)
    names = [_tool_name(as_table(tool, f"tools.{n}"), f"tools.{n}") for n, tool in enumerate(tools)]
    if len(names) != len(set(names)):
        raise invalid("tools: Tool names must be unique.")
    if body.get("tool_choice") is None:
        return
    choice = body["tool_choice"]
    kind = check_choice(choice)
    if not tools and kind != "none":
        raise invalid("tool_choice: tool_choice may only be specified while providing tools.")
    if kind == "tool":
        name = text_at(choice, "name", "tool_choice.tool.name")
        if name not in names:
            raise invalid(f"Tool '{name}' not found in provided tools")


def _tool_name(tool: Table, place: str) -> str:
    if tool.get("type", "custom") not in ("custom", None):
        # A tool of the server, with a version.
        return text_at(tool, "name" if "name" in tool else "type", f"{place}.name")
    place = f"{place}.custom"
    name = text_at(tool, "name", f"{place}.name")
    if re.fullmatch(_TOOL_NAME, name) is None:
        raise invalid(f"{place}.name: String should match pattern '{_TOOL_NAME}'")
    schema = table_at(tool, "input_schema", f"{place}.input_schema")
    kind = text_at(schema, "type", f"{place}.input_schema.type")
    if kind != "object":
        raise invalid(f"{place}.input_schema.type: Input should be 'object'")
    if mistake(schema) is not None:
        raise invalid(f"{place}.input_schema: {_NO_SCHEMA}")
    if any(key in schema for key in ("oneOf", "allOf", "anyOf")):
        raise invalid(
            f"{place}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
        )
    nothing_else(tool, TOOL, f"{place}.")
    if tool.get("description") is not None:
        text_at(tool, "description", f"{place}.description")
    if tool.get("strict"):
        check_strict(schema, place)
    return name


def _check_thinking(
    body: Table, thinking: Table, facts: Facts, max_tokens: int, betas: str
) -> None:
    kind = tag_at(thinking, "thinking", ("enabled", "disabled", "between_tools", "adaptive"))
    check_thinking(thinking, betas)
    if kind in ("adaptive", "enabled") and 0 < facts.generation < 3.7:
        raise invalid(f"'{facts.dated}' does not support thinking.")
    if kind == "adaptive" and not facts.thinks_adaptively:
        raise invalid("adaptive thinking is not supported on this model")
    if kind == "enabled":
        if not facts.thinks_by_budget:
            raise invalid(
                '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
                '"output_config.effort" to control thinking behavior.'
            )
        place = "thinking.enabled.budget_tokens"
        budget = whole_number_at(thinking, "budget_tokens", place, _MIN_THINKING_TOKENS)
        if budget >= max_tokens and "interleaved-thinking" not in betas:
            raise invalid(
                "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
                f"{_DOCS}#max-tokens-and-context-window-size"
            )
    if kind in ("enabled", "adaptive"):
        _check_beside_thinking(body, kind)


def _check_beside_thinking(body: Table, kind: str) -> None:
    choice = body.get("tool_choice") or {}
    if kind == "enabled" and choice.get("type") in ("any", "tool"):  # adaptive thinking may be none
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")
    check_sampling_of_thinking(body)


# -- breakpoints of the prompt cache ----------------------------------------------------------------------------


def kept_for_s(block: Table, place: str) -> float | None:
    """How long a block asks to be kept in the prompt cache, with all that comes before it [s]."""
    control = block.get("cache_control")
    if control is None:
        return None
    control = as_table(control, f"{place}.cache_control")
    tag_at(control, f"{place}.cache_control", ("ephemeral",))
    ttl = control.get("ttl") or "5m"
    if not isinstance(ttl, str) or ttl not in _TTL_S:
        raise invalid(f"{place}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    return _TTL_S[ttl]


def check_breakpoints(body: Table) -> None:
    """Allow at most four breakpoints of the prompt cache."""
    found = list(_breakpoints(body, ""))
    if len(found) > _MAX_BREAKPOINTS:
        raise invalid(
            f"A maximum of {_MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {len(found)}."
        )
    short = False
    for place, control in found:
        ttl = control.get("ttl") if isinstance(control, dict) else None
        if ttl == "1h" and short and place:  # not that of the whole request
            raise invalid(
                f"{place}cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control "
                "block. Note that blocks are processed in the following order: `tools`, `system`, `messages`."
            )
        short = short or ttl != "1h"


def _breakpoints(value: object, place: str) -> Iterator[tuple[str, object]]:
    """Every breakpoint with the place of its block, in the order of the prompt; that of the whole request is the last."""
    if isinstance(value, list):
        for number, part in enumerate(value):
            if isinstance(part, (dict, list)):
                yield from _breakpoints(part, f"{place}{number}.")
    if not isinstance(value, dict):
        return
    for name in ("tools", "system", "messages", "content"):
        part = value.get(name)
        if isinstance(part, (dict, list)):
            yield from _breakpoints(part, f"{place}{name}.")
    if value.get("cache_control") is not None:
        yield place, value["cache_control"]
