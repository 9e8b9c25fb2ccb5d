"""Strategies for what models say, and for the tools that they may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.models import Reply, ToolCall

Schema = Mapping[str, Any]
"""A JSON Schema."""

_NAMES = st.from_regex(r"[a-z][a-z_]{0,11}", fullmatch=True)
_SAMPLES = ("ok", "", "yes", "no", "I cannot help with that.", "{}", "null", "```json\n{}\n```")


def replies(
    tools: Sequence[Mapping[str, Any]] = (), *, max_length: int = 200
) -> st.SearchStrategy[str | Reply]:
    """Replies of an agent, for `sim.agent(reply=...)`; shrinks towards `ok`.

    Among them are an empty text, a refusal, broken Markdown, and characters of all scripts.

    Args:
        tools: Tools that the program offers with its call, as it defines them; a reply may use up to two of them.
        max_length: The longest text [characters].
    """
    characters = st.characters(exclude_categories=["Cs", "Cc"])
    texts = st.sampled_from(_SAMPLES) | st.text(characters, max_size=max_length)
    kinds: list[st.SearchStrategy[str | Reply]] = [texts]
    if tools:
        uses = st.lists(tool_calls(tools), min_size=1, max_size=2).map(tuple)
        kinds.append(st.tuples(texts, uses).map(lambda said: Reply(*said)))
    kinds.append(texts.map(lambda text: Reply(text, refused=True)))
    return st.one_of(kinds)


def tool_schemas(
    *, api: Literal["anthropic", "openai"] = "anthropic", max_properties: int = 3
) -> st.SearchStrategy[dict[str, Any]]:
    """Definitions of tools, as a program passes them to its SDK; shrinks towards a tool without parameters.

    Args:
        api: How they are written: as for `client.messages.create` or for `client.chat.completions.create`.
        max_properties: How many parameters at most.

    Raises:
        HarnessError: There is no such API.
    """
    if api not in ("anthropic", "openai"):
        raise HarnessError(f"strategies.tool_schemas: api is 'anthropic' or 'openai' (got {api!r})")

    def written(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
        if api == "anthropic":
            return {"name": name, "description": text, "input_schema": schema}
        function = {"name": name, "description": text, "parameters": schema}
        return {"type": "function", "function": function}

    descriptions = st.sampled_from(["A tool.", "Looks something up.", "Ändert etwas. 変更"])
    return st.builds(written, _NAMES, descriptions, _objects(_types(), max_properties))


def tool_arguments(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that keep a JSON Schema; shrinks towards the least that it asks for.

    Args:
        schema: One that uses `type`, `enum`, `properties`, `required` and `items`, as `tool_schemas` does. What else it says is
            not looked at.
    """
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"]))
    match schema.get("type"):
        case "object":
            properties: Mapping[str, Schema] = schema.get("properties", {})
            needed = set(schema.get("required", ()))
            values = {name: tool_arguments(inner) for name, inner in properties.items()}
            return st.fixed_dictionaries(
                {name: value for name, value in values.items() if name in needed},
                optional={name: value for name, value in values.items() if name not in needed},
            )
        case "array":
            return st.lists(tool_arguments(schema.get("items", {})), max_size=3)
        case "integer":
            return st.integers(-1000, 1000)
        case "number":
            return st.integers(-8000, 8000).map(lambda eighths: eighths / 8)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return st.sampled_from(["", "a", "ä"]) | st.text(
        st.characters(exclude_categories=["Cs", "Cc"]), max_size=20
    )


def tool_calls(tools: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[ToolCall]:
    """Uses of tools with arguments that their schemas allow, for `sim.agent(tool_calls=...)`; shrinks towards the first tool.

    Args:
        tools: The tools, as a program defines them for Anthropic's or OpenAI's SDK.

    Raises:
        HarnessError: There are none.
    """
    if not tools:
        raise HarnessError("strategies.tool_calls: there are no tools to call")

    def use_of(tool: Mapping[str, Any]) -> st.SearchStrategy[ToolCall]:
        function = tool.get("function", tool)
        schema = function.get("input_schema") or function.get("parameters") or {"type": "object"}
        return tool_arguments(schema).map(lambda given: ToolCall(function["name"], given))

    return st.sampled_from(list(tools)).flatmap(use_of)


def _types() -> st.SearchStrategy[dict[str, Any]]:
    plain: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        ["string", "integer", "number", "boolean"]
    ).map(lambda name: {"type": name})
    choices = st.lists(_NAMES, min_size=1, max_size=3, unique=True).map(
        lambda names: {"type": "string", "enum": names}
    )
    return st.recursive(
        plain | choices,
        lambda inner: (
            inner.map(lambda items: {"type": "array", "items": items}) | _objects(inner, 2)
        ),
        max_leaves=3,
    )


def _objects(types: st.SearchStrategy[dict[str, Any]], most: int) -> st.SearchStrategy[Any]:
    fields = st.lists(
        st.tuples(_NAMES, types, st.booleans()), max_size=most, unique_by=lambda field: field[0]
    )
    return fields.map(
        lambda listed: {
            "type": "object",
            "properties": {name: schema for name, schema, _ in listed},
            "required": [name for name, _, is_needed in listed if is_needed],
            "additionalProperties": False,
        }
    )
