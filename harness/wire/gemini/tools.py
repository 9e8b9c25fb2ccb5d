"""The tools of a request, and whether the model must call one."""

from __future__ import annotations

import re
from typing import NamedTuple

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.models import ToolChoice
from harness.wire.gemini.errors import Rejection
from harness.wire.gemini.schema import json_schema

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_BAD_NAME = (
    "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), "
    "dots (.), colons (:), or dashes (-), with a maximum length of 128.\n"
)
_MODES = ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
_HOSTED = (
    "googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "googleMaps", "fileSearch", "computerUse",
    "mcpServers", "retrieval", "enterpriseWebSearch", "parallelAiSearch", "exaAiSearch",
)  # fmt: skip
"""Tools that Google uses itself."""


class Tools(NamedTuple):
    """What a request says of tools."""

    schemas: dict[str, JsonObject]
    """The schema of the arguments of each function that may be called."""
    names: tuple[str, ...]
    """The functions that are declared."""
    choice: ToolChoice = "auto"
    wanted: str = ""
    """The function that must be called."""


def tools_of(body: JsonObject) -> Tools:
    """Read the tools of a request.

    Raises:
        Rejection: They are not as the API takes them.
        NotSimulated: There is one that Google uses itself.
    """
    declared: dict[str, JsonObject] = {}
    for n, tool in enumerate(body.get("tools") or ()):
        _check_hosted(tool)
        for m, function in enumerate(tool.get("functionDeclarations") or ()):
            place = f"* GenerateContentRequest.tools[{n}].function_declarations[{m}]"
            name = function.get("name", "")
            if not _NAME.fullmatch(name):
                raise Rejection(f"{place}.name: {_BAD_NAME}")
            if name in declared:
                raise Rejection(f"Duplicate function declaration found: {name}")
            declared[name] = _parameters(function, place)
    config = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    return _chosen(declared, config)


def _check_hosted(tool: JsonObject) -> None:
    hosted = next((name for name in _HOSTED if name in tool), None)
    if hosted is not None:
        raise NotSimulated(
            f"the tool {hosted!r} of the API 'gemini'",
            "offer functions instead, or replay a cassette; docs/wire.md lists what is served",
        )


def _parameters(function: JsonObject, place: str) -> JsonObject:
    plain = function.get("parametersJsonSchema")
    if plain is not None:
        if "parameters" in function:
            raise Rejection(
                f"{place}: only one of parameters and parameters_json_schema may be set.\n"
            )
        return plain if isinstance(plain, dict) else {}
    return json_schema(function.get("parameters") or {"type": "OBJECT"})


def _chosen(declared: dict[str, JsonObject], config: JsonObject) -> Tools:
    mode, allowed = config.get("mode", "AUTO").upper(), config.get("allowedFunctionNames") or []
    if mode not in _MODES:
        raise Rejection(
            "Invalid value at 'tool_config.function_calling_config.mode' "
            "(type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), "
            f'"{config["mode"]}"'
        )
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise Rejection(
            "Function calling config is set without function_declarations."
            if not declared
            else "Allowed function names should only be set when function calling mode is ANY or VALIDATED."
        )
    unknown = [name for name in allowed if name not in declared]
    if unknown:
        raise Rejection(
            f"Allowed function name {unknown[0]!r} is not in the function declarations."
        )
    names = tuple(declared)
    schemas = {name: declared[name] for name in allowed or declared}
    match mode:
        case "NONE":
            return Tools(schemas, names, "none")
        case "ANY" if not declared:
            raise Rejection("Function calling config is set without function_declarations.")
        case "ANY":
            return Tools(schemas, names, "any", next(iter(schemas)) if len(schemas) == 1 else "")
    return Tools(schemas, names)
