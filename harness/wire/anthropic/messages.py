"""A request for a reply, read: from its JSON to what every API means by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from harness.json_types import JsonObject
from harness.models import ChatMessage, ToolCall, ToolChoice, ToolResult
from harness.wire.anthropic.catalogue import Facts, context_of, facts_of
from harness.wire.anthropic.checks import text_at
from harness.wire.anthropic.context_edits import edited
from harness.wire.anthropic.errors import invalid
from harness.wire.anthropic.file_sources import with_files
from harness.wire.anthropic.files import File, Files
from harness.wire.anthropic.server_tools import OF_THE_SERVER, offered_in, wanted_hosted
from harness.wire.anthropic.sources import check_readable
from harness.wire.anthropic.thinking import REDACT, thinking_of
from harness.wire.anthropic.threads import Thread
from harness.wire.anthropic.tokens import CALL_FRAME, sections_of, wanted_format
from harness.wire.anthropic.turns import (
    Turn,
    blocks_of,
    check_end,
    check_messages,
    check_order,
    check_system,
    turns_of,
)
from harness.wire.anthropic.validate import (
    check_breakpoints,
    check_fields,
    check_model,
    check_settings,
    check_tools,
)
from harness.wire.api import Prompt, PromptSection

_PARAGRAPH = "\n\n"
_SHORT_REPLY_GENERATION = 4.5
"""From here on a reply that would leave the context window is cut at its end; before, the request is refused
(https://docs.claude.com/en/docs/build-with-claude/context-windows)."""


class Asked(NamedTuple):
    """The fields of the request, other than the prompt, that the answer needs."""

    facts: Facts
    thinks: bool
    """Whether the model may think before it speaks."""
    shows_thinking: bool
    """Whether its thoughts are sent."""
    cut_by_context: bool
    """Whether the context window ends before `max_tokens` does."""
    geo: str | None
    """Where it is to be served."""
    files: Files
    """Those of the run; tools of the server write some."""
    tier: str = "standard"
    speed: str | None = None
    """How fast it asks to be served."""
    redacts_thinking: bool = False
    """Whether its thoughts are sent encrypted."""
    edits: tuple[JsonObject, ...] | None = None
    """What context management did; None if the request asks for none."""
    turns: Sequence[Turn] = ()
    """The conversation, of which documents and search results may be cited."""
    thread: Thread | None = None
    """What the server is to remember of it, if anything."""


class Client(NamedTuple):
    """API version and betas from a client's headers."""

    version: str
    betas: str
    models: tuple[str, ...]
    """The models that the run knows."""
    files: Files
    """Those that it may name."""
    at_s: float
    """When its request came [s]."""
    is_at_home: bool = True
    """Whether it speaks to Anthropic's own host."""

    def open_file(self, file_id: str) -> File:
        """A file that a request names."""
        return self.files.open(file_id, self.at_s)


class Checked(NamedTuple):
    """A request that the real API would accept, as far as it is one for a reply or one for a count."""

    body: JsonObject
    """With what its files are."""
    facts: Facts
    turns: list[Turn]


def read_prompt(
    body: JsonObject,
    client: Client,
    *,
    tier: str = "standard",
    thread: Thread | None = None,
) -> Prompt:
    """Read a request.

    Args:
        body: The request.
        client: Who sends it.
        tier: How it is served.
        thread: What the server is to remember of it.

    Raises:
        Rejection: The real API would not accept it.
    """
    body, facts, turns = check(body, client)
    check_settings(body, facts, client.betas)
    thinking = thinking_of(body, facts)
    check_end(turns, facts, thinks=thinking.is_on)
    body, edits = edited(body)
    if edits:
        turns = turns_of(body["messages"])
    sections = sections_of(body)
    max_tokens, left = body["max_tokens"], _left(body, facts, sections, client.betas)
    schemas, hosted = _callable(body), offered_in(body)
    choice, wanted_tool = _choice(body, schemas)
    results = _results(turns[-1])
    return Prompt(
        model=body["model"],
        system=_PARAGRAPH.join(texts_of(body.get("system") or [])),
        conversation=_conversation(turns),
        sections=sections,
        max_tokens=min(max_tokens, left),
        stop_sequences=tuple(body.get("stop_sequences") or ()),
        stream=bool(body.get("stream")),
        tools=tuple(_tool_names(body)),
        wanted=schemas[wanted_tool] if wanted_tool else wanted_format(body),
        wanted_tool=wanted_tool,
        tool_choice=choice,
        tool_schemas=schemas,
        parallel_tool_calls=not (body.get("tool_choice") or {}).get("disable_parallel_tool_use"),
        thinking=thinking.amount,
        hosted=hosted,
        wanted_hosted=wanted_hosted(body, schemas, hosted),
        frame_tokens=CALL_FRAME,
        result_ids=tuple(block["tool_use_id"] for block in results),
        details=Asked(
            facts=facts,
            thinks=thinking.is_on,
            shows_thinking=thinking.is_shown,
            cut_by_context=left < max_tokens,
            geo=body.get("inference_geo"),
            files=client.files,
            speed=body.get("speed"),
            redacts_thinking=thinking.is_on and any(REDACT in one.text for one in sections),
            turns=turns,
            edits=edits,
            tier=tier,
            thread=thread,
        ),
    )


def check(body: JsonObject, client: Client) -> Checked:
    """Check all that a request for a reply and one for a count have in common."""
    check_fields(body, client.version, client.betas)
    model = text_at(body, "model", "model")
    facts = facts_of(model)
    messages = check_messages(body, client.version, facts)
    check_system(body)
    check_tools(body, client.betas)
    check_breakpoints(body)
    if client.is_at_home:  # other hosts have models of their own
        check_model(model, client.models)
    messages = with_files(messages, client.open_file)
    turns = turns_of(messages)
    check_order(turns)
    check_readable((block for turn in turns for block in turn.blocks), facts)
    if messages is not body["messages"]:
        body = {**body, "messages": messages}
    return Checked(body, facts, turns)


def _left(body: JsonObject, facts: Facts, sections: Iterable[PromptSection], betas: str) -> int:
    """The rest of the context window, for the reply [tokens]."""
    tokens = sum(section.tokens for section in sections)
    context, max_tokens = context_of(facts, betas), body["max_tokens"]
    if tokens > context:
        raise invalid(f"prompt is too long: {tokens} tokens > {context} maximum")
    if tokens + max_tokens > context and 0 < facts.generation < _SHORT_REPLY_GENERATION:
        raise invalid(
            f"input length and `max_tokens` exceed context limit: {tokens} + {max_tokens} > {context}, decrease input "
            "length or `max_tokens` and try again"
        )
    return context - tokens


def _callable(body: JsonObject) -> dict[str, JsonObject]:
    """The tools that a `tool_use` block may name, each with the schema of its input.

    Tools of the server are used by the server; those that the client runs and Anthropic describes have no schema here.
    """
    return {
        str(tool.get("name", tool.get("type"))): tool.get("input_schema") or {}
        for tool in body.get("tools") or ()
        if not str(tool.get("type") or "custom").startswith(OF_THE_SERVER)
    }


def _choice(body: JsonObject, schemas: dict[str, JsonObject]) -> tuple[ToolChoice, str]:
    """Whether a tool must be used, and which."""
    choice = body.get("tool_choice") or {}
    match choice.get("type"):
        case "none":
            return "none", ""
        case "tool" if choice["name"] in schemas:
            return "any", choice["name"]
        case "any" if schemas and len(schemas) == len(body["tools"]):
            return "any", next(iter(schemas)) if len(schemas) == 1 else ""
    return "auto", ""


def _tool_names(body: JsonObject) -> Iterable[str]:
    return (str(tool.get("name", tool.get("type"))) for tool in body.get("tools") or ())


def _conversation(turns: list[Turn]) -> tuple[ChatMessage, ...]:
    names: dict[str, str] = {}
    conversation = []
    for turn in turns:
        if (
            len(turn.blocks) == 1 and turn.blocks[0]["type"] == "text"
        ):  # nearly all of a long conversation
            conversation.append(ChatMessage(turn.role, turn.blocks[0]["text"]))
            continue
        calls = [block for block in turn.blocks if block["type"] == "tool_use"]
        names.update((block["id"], block["name"]) for block in calls)
        conversation.append(
            ChatMessage(
                turn.role,
                _PARAGRAPH.join(texts_of(turn.blocks)),
                tuple(ToolCall(block["name"], block["input"]) for block in calls),
                tuple(_result(block, names) for block in _results(turn)),
            )
        )
    return tuple(conversation)


def _results(turn: Turn) -> list[JsonObject]:
    return [block for block in turn.blocks if block["type"] == "tool_result"]


def _result(block: JsonObject, names: dict[str, str]) -> ToolResult:
    text = _PARAGRAPH.join(texts_of(block.get("content") or []))
    return ToolResult(names[block["tool_use_id"]], text, bool(block.get("is_error")))


def texts_of(content: str | list[Any]) -> Iterable[str]:
    """The texts in a content."""
    return (block["text"] for block in blocks_of(content) if block["type"] == "text")
