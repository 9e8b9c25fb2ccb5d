"""A tool of an MCP server: how it is listed, which arguments it takes, and its result as content."""

from __future__ import annotations

import functools
import inspect
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import ArgsKwargs, PydanticSerializationError, to_jsonable_python

from harness.errors import HarnessError
from harness.models.schemas import violation
from harness.wire.json_rpc import Message

_CONTENT = frozenset({"text", "image", "audio", "resource", "resource_link"})


class InvalidArgumentsError(Exception):
    """Arguments that do not fit a tool."""


class Arguments(Protocol):
    """What a tool takes."""

    @property
    def schema(self) -> Message:
        """As JSON Schema."""

    def checked(self, given: Message) -> Message:
        """Arguments as the tool is called with them.

        Raises:
            InvalidArgumentsError: They do not fit.
        """


@dataclass(frozen=True, slots=True)
class AnyArguments:
    """Those of a tool that is no function."""

    schema: Message = field(default_factory=lambda: {"type": "object", "properties": {}})

    def checked(self, given: Message) -> Message:
        """Arguments that fit the schema."""
        wrong = violation(given, self.schema)
        if wrong:
            raise InvalidArgumentsError(wrong)
        return given


class FunctionArguments:
    """Those of a function, by its annotations.

    Args:
        name: The tool.
        function: The function.

    Raises:
        HarnessError: An annotation says nothing to pydantic, or the function takes arguments without a name.
    """

    def __init__(self, name: str, function: Callable[..., object]) -> None:
        @functools.wraps(function)
        def given(**arguments: object) -> dict[str, object]:
            return arguments

        parameters = inspect.signature(function).parameters.values()
        unnamed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
        if any(parameter.kind in unnamed for parameter in parameters):
            raise HarnessError(
                f"tool {name!r}: its function takes arguments without a name, and MCP knows none\n"
                "  How to fix: name its arguments: def search(query: str, limit: int = 10)"
            )
        self._takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
        self._known = frozenset(parameter.name for parameter in parameters)
        try:
            reader: Any = given  # called with what was read, as a function is
            self._reader: TypeAdapter[dict[str, object]] = TypeAdapter(reader)
            self.schema: Message = {"properties": {}, **self._reader.json_schema()}
        except (PydanticUserError, NameError) as error:
            raise HarnessError(
                f"tool {name!r}: its arguments have no JSON Schema: {str(error).splitlines()[0]}\n"
                "  How to fix: annotate them with types that pydantic knows, or state input_schema"
            ) from None
        self.schema.pop("additionalProperties", None)  # as the servers of the `mcp` package

    def checked(self, given: Message) -> Message:
        """Converted to the types of the annotations; unknown ones are left out, as the servers of the `mcp` package do."""
        known = {
            name: value for name, value in given.items() if self._takes_all or name in self._known
        }
        try:
            return self._reader.validate_python(ArgsKwargs((), known))
        except ValidationError as error:
            told = (
                f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
                for each in error.errors(include_url=False, include_input=False)
            )
            raise InvalidArgumentsError("; ".join(told)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A tool as clients are told of it."""

    name: str
    arguments: Arguments
    description: str = ""
    output_schema: Message | None = None
    """Of its structured result; None if it has none."""
    is_wrapped: bool = False
    """Whether its structured result is an object around its value, since that is none."""

    def giving(self, schema: Message) -> Listed:
        """The same with another schema of its structured result."""
        return replace(self, output_schema=schema, is_wrapped=False)

    def shown(self) -> Message:
        """Its entry in the list of tools."""
        entry: Message = {"name": self.name, "description": self.description}
        entry["inputSchema"] = {"type": "object", **self.arguments.schema}
        if self.output_schema is not None:
            entry["outputSchema"] = self.output_schema
        return entry

    def result(self, value: object) -> Message:
        """What a client is told that the tool has given.

        Raises:
            HarnessError: It is nothing that JSON can say.
        """
        try:
            plain = to_jsonable_python(value, by_alias=True, exclude_none=True, bytes_mode="base64")
        except PydanticSerializationError:
            raise HarnessError(
                f"tool {self.name!r} gave a value of type {type(value).__name__}, and MCP sends what JSON can say\n"
                "  How to fix: let it return text, numbers, lists, mappings, pydantic models or content blocks"
            ) from None
        if isinstance(plain, Mapping) and isinstance(plain.get("content"), list):
            return {"isError": False, **plain}
        told: Message = {"content": _blocks(plain), "isError": False}
        if self.output_schema is not None:
            told["structuredContent"] = {"result": plain} if self.is_wrapped else plain
        return told


def listed_function(
    name: str,
    function: Callable[..., object],
    description: str = "",
    arguments: Arguments | None = None,
) -> Listed:
    """A function as a tool: its docstring, its arguments, and its result by its annotation, where nothing else is stated."""
    schema, is_wrapped = _output_schema(function)
    return Listed(
        name=name,
        arguments=arguments or FunctionArguments(name, function),
        description=description or inspect.getdoc(function) or "",
        output_schema=schema,
        is_wrapped=is_wrapped,
    )


def failed(text: str) -> Message:
    """The result of a tool that did not work: the model is told, and may try again."""
    return {"content": [{"type": "text", "text": text}], "isError": True}


def _blocks(value: Any) -> list[Message]:  # noqa: ANN401 - JSON
    """A value as content."""
    if value is None:
        return []
    if isinstance(value, str):
        return [{"type": "text", "text": value}]
    if isinstance(value, list):
        return [block for each in value for block in _blocks(each)]
    if isinstance(value, dict) and value.get("type") in _CONTENT:
        return [value]
    return [{"type": "text", "text": json.dumps(value, indent=2, ensure_ascii=False)}]


def _output_schema(function: Callable[..., object]) -> tuple[Message | None, bool]:
    """The schema of a structured result, and whether it is wrapped; without one for what says nothing of its type."""
    try:
        given = typing.get_type_hints(function).get("return", Any)
    except (NameError, TypeError):
        return None, False
    if given in (Any, object, None, type(None)) or hasattr(given, "isError"):
        return None, False
    try:
        schema = TypeAdapter(given).json_schema(mode="serialization")
    except PydanticUserError:
        return None, False
    if schema.get("type") == "object":
        return schema, False
    kept = schema.pop("$defs", None)
    whole: Message = {"type": "object", "properties": {"result": schema}, "required": ["result"]}
    return whole if kept is None else {**whole, "$defs": kept}, True
