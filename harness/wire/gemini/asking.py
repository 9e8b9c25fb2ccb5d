"""A request for a reply, read: from its JSON to what every API means by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.wire.api import Prompt
from harness.wire.gemini.catalogue import Facts
from harness.wire.gemini.contents import (
    Turn,
    check_functions,
    check_signatures,
    conversation_of,
    text_of,
    turns_of,
)
from harness.wire.gemini.errors import Rejection
from harness.wire.gemini.settings import check_settings, thoughts_of, wanted_of
from harness.wire.gemini.tokens import CALL_FRAME, Modalities, sections_of
from harness.wire.gemini.tools import tools_of

_KEPT_S = 300.0
"""How long a prefix stays in the cache that nobody asks for; a guess."""

_OF_THE_CACHE = ("systemInstruction", "tools", "toolConfig")
_MEDIA = {"image": "an image", "speech": "speech", "live": "a live session"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """A cached content, as a request uses it."""

    body: JsonObject
    """What was cached: contents, system instruction, tools."""
    tokens: int
    modalities: Modalities


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The fields of the request, other than the prompt, that the answer needs."""

    facts: Facts
    shows_thoughts: bool
    modalities: Modalities
    """What is read, by modality [tokens]."""
    cached: Cached | None
    has_functions: bool
    is_array: bool = False
    """Whether a stream is a JSON array instead of events."""
    tier: str = "standard"


def read_prompt(
    body: JsonObject,
    facts: Facts,
    cached: Cached | None,
    id_of: Callable[[JsonObject], str],
    *,
    stream: bool = False,
    is_array: bool = False,
) -> Prompt:
    """Read a request.

    Args:
        body: The request, with the fields that are known.
        facts: The model.
        cached: The cached content that it goes on from.
        id_of: The id that a function call was given, by the call as the client sends it back.
        stream: Whether the answer is a stream.
        is_array: Whether that is a JSON array instead of events.

    Raises:
        Rejection: The real API would not accept it.
        NotSimulated: It asks for what is not simulated.
    """
    _check_kind(facts)
    body = _whole(body, cached)
    contents = body.get("contents") or []
    if not contents:
        raise Rejection("* GenerateContentRequest.contents: contents is not specified\n")
    turns = turns_of(contents)
    check_functions(turns)
    check_signatures(turns, facts)
    tools, config = tools_of(body), body.get("generationConfig") or {}
    check_settings(config, facts, has_functions=bool(tools.names))
    thoughts = thoughts_of(config, facts)
    kept_s = _KEPT_S if facts.caches_unasked and cached is None else None
    system = body.get("systemInstruction")
    sections, modalities = sections_of(system, body.get("tools") or (), turns, facts, kept_s)
    tokens = sum(section.tokens for section in sections)
    if tokens > facts.input_tokens:
        raise Rejection(
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({facts.input_tokens})."
        )
    return Prompt(
        model=facts.name,
        system=text_of(system or {}),
        conversation=conversation_of(turns),
        sections=sections,
        max_tokens=config.get("maxOutputTokens", facts.output_tokens),
        stop_sequences=tuple(config.get("stopSequences") or ()),
        stream=stream,
        tools=tools.names,
        wanted=tools.schemas[tools.wanted] if tools.wanted else wanted_of(config),
        wanted_tool=tools.wanted,
        tool_choice=tools.choice,
        tool_schemas=tools.schemas,
        choices=config.get("candidateCount", 1),
        thinking=thoughts.amount,
        frame_tokens=CALL_FRAME,
        result_ids=_result_ids(turns, id_of),
        details=Asked(
            facts=facts,
            shows_thoughts=thoughts.are_shown,
            modalities=modalities,
            cached=cached,
            has_functions=bool(tools.names),
            is_array=is_array,
            tier=(body.get("serviceTier") or "standard").lower(),
        ),
    )


def _check_kind(facts: Facts) -> None:
    if facts.kind in _MEDIA:
        raise NotSimulated(
            f"the model {facts.name!r} of the API 'gemini', whose reply is {_MEDIA[facts.kind]},",
            "use a model that replies with text, or replay a cassette",
        )


def _whole(body: JsonObject, cached: Cached | None) -> JsonObject:
    """A request with what was cached for it."""
    if cached is None:
        return body
    if any(name in body for name in _OF_THE_CACHE):
        raise Rejection(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.\n\n"
            "Proposed fix: move those values to CachedContent from GenerateContent request."
        )
    contents = [*(cached.body.get("contents") or ()), *(body.get("contents") or ())]
    kept = {name: cached.body[name] for name in _OF_THE_CACHE if name in cached.body}
    return {**body, **kept, "contents": contents}


def _result_ids(turns: Sequence[Turn], id_of: Callable[[JsonObject], str]) -> tuple[str, ...]:
    """The id of the call that each function response of the last turn answers; empty if it is not known.

    A response belongs to the call with its id, or else to the first call of its name that has no response yet.
    """
    responses = turns[-1].all("functionResponse")
    if not responses:
        return ()
    left = turns[-2].all("functionCall")
    found: list[str] = []
    for response in responses:
        own = [call for call in left if response.get("id") and call.get("id") == response["id"]]
        named = [call for call in left if call.get("name") == response.get("name")]
        call = next(iter(own or named), None)
        if call is not None:
            left.remove(call)
        found.append("" if call is None else call.get("id") or id_of(call))
    return tuple(found)


def call_key(call: JsonObject) -> str:
    """What a function call is known by where its id is not sent."""
    return f"{call.get('name', '')} {json.dumps(call.get('args') or {}, sort_keys=True)}"
