"""Chat Completions: read a request, and write the whole answer.

Fields, their order and the layout are those of recorded replies of 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from harness.json_types import JsonObject
from harness.models import ToolCall
from harness.provider.tokens import count_tokens
from harness.wire.api import Completion, Ids, Moment, Prompt
from harness.wire.hosted import Hosted, Terms
from harness.wire.http import HttpResponse
from harness.wire.openai.annotations import annotations_of
from harness.wire.openai.chat_rules import check_length, check_messages, check_parameters
from harness.wire.openai.conversation import Conversation, call_of, text_of
from harness.wire.openai.deltas import pieces
from harness.wire.openai.encoding import BASE62, compact, pretty
from harness.wire.openai.headers import JSON, begun_s, headers
from harness.wire.openai.logprobs import logprobs_of
from harness.wire.openai.models import is_reasoning, snapshot
from harness.wire.openai.reasoning import thinking_of
from harness.wire.openai.shapes import CHAT, check_shape
from harness.wire.openai.tiers import tier_of
from harness.wire.openai.tools import FRAME_TOKENS, offer

_FINISH = {
    "end": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "stop",
    "pause": "stop",
}


_SEARCH = Terms(0.025, 1.5)
"""The fee for a search is that of the preview; what is found is not billed
(https://platform.openai.com/docs/pricing#built-in-tools)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatWish:
    """The requested form of an answer."""

    logprobs: int | None
    """How many likeliest tokens are told for each; None if no log probabilities are wanted."""
    tier: str
    """How it is served."""
    include_usage: bool
    obfuscated: bool
    """Whether lengths of chunks are hidden."""
    tool_is_named: bool
    """Whether the request names the tool; then the reply ends with `stop` [documented]."""


def read_chat(asked: JsonObject) -> Prompt:
    """Understand a request.

    Raises:
        Rejected: The real API would not take it.
        NotSimulated: It asks for what only the real API has.
    """
    check_messages(asked.get("messages"))
    check_shape("", asked, CHAT)
    check_parameters(asked)
    talk = Conversation()
    tools = asked.get("tools") or ()
    format_ = asked.get("response_format") or {}
    schema = _schema(format_)
    for part in (*tools, *([format_] if schema else ())):
        talk.count(part, count_tokens(compact(part)))
    for message in asked["messages"]:
        _hear(talk, message)
    check_length(asked["model"], talk.sections)
    offered = offer([t["function"] for t in tools if "function" in t], asked.get("tool_choice"))
    stop = asked.get("stop") or ()
    return Prompt(
        model=asked["model"],
        system=talk.system,
        conversation=tuple(talk.said),
        sections=tuple(talk.sections),
        max_tokens=asked.get("max_completion_tokens") or asked.get("max_tokens"),
        stop_sequences=(stop,) if isinstance(stop, str) else tuple(stop),
        stream=bool(asked.get("stream")),
        tools=tuple(offered.schemas),
        tool_choice=offered.choice,
        tool_schemas=offered.schemas,
        parallel_tool_calls=asked.get("parallel_tool_calls") is not False,
        choices=asked.get("n") or 1,
        prediction=text_of((asked.get("prediction") or {}).get("content")),
        thinking=thinking_of(asked["model"], asked.get("reasoning_effort")),
        hosted=_hosted(asked),
        frame_tokens=FRAME_TOKENS,
        wanted=schema if offered.wanted is None else offered.wanted,
        wanted_tool=offered.wanted_tool,
        result_ids=talk.result_ids,
        details=_wish(asked),
    )


def whole_chat(prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
    """The whole answer."""
    wish: ChatWish = prompt.details
    ids = moment.ids
    completion_id = new_id(ids)
    choices = [
        _choice(index, prompt, one, ids) for index, one in enumerate(spoken.each_of(prompt.choices))
    ]
    body = {
        "id": completion_id,
        "object": "chat.completion",
        "created": begun_s(moment),
        "model": snapshot(prompt.model),
        "choices": choices,
        "usage": usage_of(spoken),
        "service_tier": wish.tier,
        "system_fingerprint": fingerprint(prompt.model),
    }
    return HttpResponse(200, headers(moment, JSON), pretty(body) + b"\n")


def new_id(ids: Ids) -> str:
    """The name of a completion."""
    return "chatcmpl-" + ids.next("chatcmpl-", 29, BASE62)


def fingerprint(model: str) -> str | None:
    """The configuration that a model runs with; the reasoning models do not say."""
    if is_reasoning(model):
        return None
    return "fp_" + blake2b(model.encode(), digest_size=5).hexdigest()


def finish_reason(prompt: Prompt, spoken: Completion) -> str:
    """Why a reply ended."""
    if spoken.stop == "tool_use" and prompt.details.tool_is_named:
        return "stop"
    return _FINISH[spoken.stop]


def usage_of(spoken: Completion) -> JsonObject:
    """What was read and written; here what is read includes what came from a cache."""
    usage = spoken.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": spoken.thought_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": spoken.predicted.accepted,
            "rejected_prediction_tokens": spoken.predicted.rejected,
        },
    }


def tool_call(call: ToolCall, ids: Ids, arguments: str) -> JsonObject:
    """A call of a tool with a new id."""
    return {
        "id": ids.tool("call_", 24, BASE62),
        "type": "function",
        "function": {"name": call.tool, "arguments": arguments},
    }


def choice_of(
    index: int,
    what: str,
    said: object,
    prompt: Prompt,
    end: str | None,
    probable: Sequence[JsonObject] | None = None,
) -> JsonObject:
    """A choice, or a piece of one.

    Args:
        index: Its number.
        what: `message` or `delta`.
        said: What it says.
        prompt: The request.
        end: Why it ended; None while it goes on.
        probable: The log probabilities of its tokens; None if they are not told.
    """
    choice: JsonObject = {"index": index, what: said}
    if not is_reasoning(prompt.model):
        told = None if probable is None else {"content": probable, "refusal": None}
        choice["logprobs"] = told
    choice["finish_reason"] = end
    return choice


def _choice(index: int, prompt: Prompt, spoken: Completion, ids: Ids) -> JsonObject:
    reply = spoken.reply
    refused = spoken.stop == "refusal"
    message: JsonObject = {"role": "assistant", "content": reply.text}
    if refused or (reply.tool_calls and not reply.text):
        message["content"] = None
    if reply.tool_calls:
        message["tool_calls"] = [
            tool_call(call, ids, compact(call.arguments)) for call in reply.tool_calls
        ]
    message["refusal"] = reply.text if refused else None
    message["annotations"] = [_annotation(one) for one in annotations_of(reply)]
    wish: ChatWish = prompt.details
    probable = None
    if wish.logprobs is not None and message["content"]:
        tokens = pieces(reply.text, spoken.said_tokens)
        probable = logprobs_of(tokens, wish.logprobs, ids)
    end = finish_reason(prompt, spoken)
    return choice_of(index, "message", message, prompt, end, probable)


def _annotation(cited: JsonObject) -> JsonObject:
    """A citation as a chat has it."""
    inside = {name: cited[name] for name in cited if name != "type"}
    return {"type": cited["type"], cited["type"]: inside}


def _hosted(asked: JsonObject) -> tuple[Hosted, ...]:
    """The web search, which some models have without being asked."""
    if asked.get("web_search_options") is None and "-search" not in asked["model"]:
        return ()
    return (Hosted("web_search", _SEARCH, asked.get("web_search_options") or {}),)


def _hear(talk: Conversation, message: JsonObject) -> None:
    """Take in one message."""
    content = message.get("content")
    text = text_of(content)
    match message["role"]:
        case "system" | "developer":
            talk.instruct(text)
        case "user":
            talk.hear(text)
        case "assistant":
            calls = [call for call in message.get("tool_calls") or () if "function" in call]
            read = tuple((call.get("id", ""), call_of(call["function"])) for call in calls)
            talk.speak(text or message.get("refusal") or "", read)
            talk.count_message(message, text, [call["function"] for call in calls])
            return
        case _:
            talk.bring(message.get("tool_call_id", ""), text)
    talk.count_message(message, content)


def _wish(asked: JsonObject) -> ChatWish:
    options = asked.get("stream_options") or {}
    choice = asked.get("tool_choice")
    return ChatWish(
        logprobs=(asked.get("top_logprobs") or 0) if asked.get("logprobs") else None,
        tier=tier_of(asked),
        include_usage=bool(options.get("include_usage")),
        obfuscated=options.get("include_obfuscation") is not False,
        tool_is_named=isinstance(choice, dict) and choice.get("type") == "function",
    )


def _schema(format_: JsonObject) -> JsonObject | None:
    """The schema that the reply must keep."""
    if format_.get("type") == "json_object":
        return {"type": "object"}
    if format_.get("type") != "json_schema":
        return None
    schema: JsonObject | None = format_["json_schema"].get("schema")
    return schema
