"""How a reply is to be generated: what of it the API checks, and what of it is not simulated."""

from __future__ import annotations

from typing import NamedTuple

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.wire.gemini.catalogue import DYNAMIC, Facts
from harness.wire.gemini.errors import Rejection
from harness.wire.gemini.schema import json_schema
from harness.wire.thinking import Thinking

_RANGES = {
    "temperature": (0.0, 2.0),
    "topP": (0.0, 1.0),
    "presencePenalty": (-2.0, 2.0),
    "frequencyPenalty": (-2.0, 2.0),
}
_SPOKEN = {
    "topP": "top_p",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}
_STOPS_MAX = 5
_CANDIDATES_MAX = 8
_JSON = "application/json"
_MIME_TYPES = ("", "text/plain", _JSON)
_ENUM = "text/x.enum"
_PLACE = "* GenerateContentRequest.generation_config"
_NOT_SIMULATED = (
    "responseLogprobs", "logprobs", "speechConfig", "imageConfig", "audioTranscriptionConfig", "routingConfig", "modelConfig",
    "generationOutputConfig",
)  # fmt: skip
_SCHEMAS = ("responseSchema", "responseJsonSchema", "_responseJsonSchema")


class Thoughts(NamedTuple):
    """How the model may think."""

    amount: Thinking | None
    """None if it does not."""
    are_shown: bool = False


def check_settings(config: JsonObject, facts: Facts, *, has_functions: bool) -> None:
    """Check a generation config.

    Raises:
        Rejection: A value is not one that the API takes.
        NotSimulated: It asks for what is not simulated.
    """
    for name in _NOT_SIMULATED:
        if config.get(name):
            raise _not_simulated(f"the field {name!r}")
    for name, (least, most) in _RANGES.items():
        if name in config and not least <= config[name] <= most:
            spoken = _SPOKEN.get(name, name)
            raise Rejection(
                f"{_PLACE}.{spoken}: {spoken} must be in the range [{least}, {most}].\n"
            )
    if "maxOutputTokens" in config and config["maxOutputTokens"] <= 0:
        raise Rejection("max_output_tokens must be positive.")
    if config.get("maxOutputTokens", 0) > facts.output_tokens:
        raise Rejection(
            f"Unable to submit request because it has a maxOutputTokens value of {config['maxOutputTokens']} but the supported "
            f"range is from 1 (inclusive) to {facts.output_tokens + 1} (exclusive). Update the value and try again."
        )
    if not 1 <= config.get("candidateCount", 1) <= _CANDIDATES_MAX:
        raise Rejection(
            f"{_PLACE}.candidate_count: candidate_count must be in the range [1, {_CANDIDATES_MAX}].\n"
        )
    if len(config.get("stopSequences") or ()) > _STOPS_MAX:
        raise Rejection(f"The number of stop sequences must be at most {_STOPS_MAX}.")
    modalities = [one.upper() for one in config.get("responseModalities") or ()]
    if any(one != "TEXT" for one in modalities):
        raise _not_simulated(f"a reply of the modality {', '.join(modalities)}")
    _check_format(config, facts, has_functions=has_functions)


def _check_format(config: JsonObject, facts: Facts, *, has_functions: bool) -> None:
    kind = config.get("responseMimeType", "")
    if kind == _ENUM:
        raise _not_simulated(f"a reply of the type {kind!r}")
    if kind not in _MIME_TYPES:
        raise Rejection(
            f"{_PLACE}.response_mime_type: allowed mimetypes are `text/plain`, `application/json`, `application/xml`, "
            "`application/yaml` and `text/x.enum`.\n"
        )
    stated = [name for name in _SCHEMAS if name in config]
    if stated and kind != _JSON:
        raise Rejection(
            f'{_PLACE}.response_mime_type: mime_type: "{kind or "text/plain"}" is not supported with response schema.\n'
            if kind
            else f"{_PLACE}.response_schema: only allowed when mime type is application/json.\n"
        )
    if len(stated) > 1:
        raise Rejection(
            "Only one of response_schema and response_json_schema may be set in generation_config."
        )
    if kind == _JSON and has_functions and facts.generation < 3:
        raise Rejection(
            "Function calling with a response mime type: 'application/json' is unsupported"
        )


def wanted_of(config: JsonObject) -> JsonObject | None:
    """The JSON Schema of the reply; an empty one if any JSON will do, None if any text will."""
    if config.get("responseMimeType") != _JSON:
        return None
    if "responseSchema" in config:
        return json_schema(config["responseSchema"])
    plain = config.get("responseJsonSchema", config.get("_responseJsonSchema"))
    return plain if isinstance(plain, dict) else {}


def thoughts_of(config: JsonObject, facts: Facts) -> Thoughts:
    """How the model may think.

    Raises:
        Rejection: This model cannot be told so (https://ai.google.dev/gemini-api/docs/thinking).
    """
    wishes = config.get("thinkingConfig") or {}
    level, budget = wishes.get("thinkingLevel", "").upper(), wishes.get("thinkingBudget")
    if level == "THINKING_LEVEL_UNSPECIFIED":
        level = ""
    if level and budget is not None:
        raise Rejection("You can only set only one of thinking budget and thinking level.")
    if not facts.thinks:
        if level or budget or wishes.get("includeThoughts"):
            raise Rejection("Thinking is not supported by this model.")
        return Thoughts(None)
    shown = bool(wishes.get("includeThoughts"))
    if level:
        return Thoughts(Thinking(_effort_of(level, facts)), shown)
    if budget is not None and budget != DYNAMIC:
        _check_budget(budget, facts)
        return Thoughts(Thinking("medium", budget) if budget else None, shown)
    effort = facts.thinks_by_default
    if budget == DYNAMIC and effort == "none":
        effort = "medium"
    return Thoughts(None if effort == "none" else Thinking(effort), shown)


def _effort_of(level: str, facts: Facts) -> str:
    if not facts.levels:
        raise Rejection("Thinking level is not supported for this model.")
    if level not in facts.levels:
        raise Rejection(
            f"Thinking level {level} is not supported for this model. Please retry with other thinking level."
        )
    return level.lower()


def _check_budget(budget: int, facts: Facts) -> None:
    assert facts.budgets is not None
    least, most = facts.budgets
    if budget == 0:
        if facts.may_not_think:
            return
        raise Rejection("Budget 0 is invalid. This model only works in thinking mode.")
    if not least <= budget <= most:
        raise Rejection(
            f"The thinking budget {budget} is invalid. Please choose a value between {least} and {most}."
        )


def _not_simulated(what: str) -> NotSimulated:
    return NotSimulated(
        f"{what} of the API 'gemini'",
        "ask for text, or replay a cassette; docs/wire.md lists what is served",
    )
