"""From the messages of a request to a conversation that every model understands; and its token count.

A message has 3 tokens beside its text (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken); an
image of 1024 x 1024 has 765 (https://platform.openai.com/docs/guides/images-vision).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.json_types import JsonObject
from harness.models import ChatMessage, ToolCall, ToolResult
from harness.provider.tokens import count_call_tokens, count_tokens
from harness.wire.api import PromptSection
from harness.wire.openai.encoding import compact
from harness.wire.openai.tools import FRAME_TOKENS

_FRAME_TOKENS = 3
_IMAGE_TOKENS = 765
_CACHED_FOR_S = 300.0
"""How long a prefix stays in the cache: 5 to 10 minutes, says the guide
(https://platform.openai.com/docs/guides/prompt-caching)."""


@dataclass(slots=True)
class Conversation:
    """A conversation as it is read, from its first message to its last."""

    said: list[ChatMessage] = field(default_factory=list)
    sections: list[PromptSection] = field(default_factory=list)
    _system: list[str] = field(default_factory=list)
    _tools: dict[str, str] = field(default_factory=dict)
    """The name of each tool that was called, by the id of the call."""
    _result_ids: list[str] = field(default_factory=list)

    @property
    def system(self) -> str:
        """All that the program, and not the user, told the model."""
        return "\n\n".join(self._system)

    @property
    def result_ids(self) -> tuple[str, ...]:
        """The calls that the last message answers."""
        answers = bool(self.said) and bool(self.said[-1].tool_results)
        return tuple(self._result_ids) if answers else ()

    def count(self, part: object, tokens: int) -> None:
        """Note a part of the prompt and its size [tokens]; each may be the end of a cached prefix."""
        self.sections.append(PromptSection(compact(part), tokens, _CACHED_FOR_S))

    def count_message(
        self,
        message: JsonObject,
        content: object,
        functions: Sequence[JsonObject] = (),
    ) -> None:
        """Note a message with its text, its images and the functions that it calls."""
        images = sum(part.get("type") in ("image_url", "input_image") for part in parts_of(content))
        tokens = _FRAME_TOKENS + count_tokens(text_of(content)) + images * _IMAGE_TOKENS
        for function in functions:
            name, arguments = str(function.get("name", "")), str(function.get("arguments", ""))
            tokens += count_call_tokens(name, arguments, FRAME_TOKENS)
        self.count(message, tokens)

    def instruct(self, text: str) -> None:
        """Add what a system or a developer message says."""
        self._system.append(text)

    def hear(self, text: str) -> None:
        """Add what the user says."""
        self.said.append(ChatMessage("user", text))

    def speak(self, text: str, calls: tuple[tuple[str, ToolCall], ...] = ()) -> None:
        """Add what the model said, and the tools that it called, each with the id of the call."""
        self._tools.update((call_id, call.tool) for call_id, call in calls)
        self.said.append(ChatMessage("assistant", text, tuple(call for _, call in calls)))

    def speak_on(self, text: str, calls: tuple[tuple[str, ToolCall], ...] = ()) -> None:
        """Add to what the model said last, where a reply comes item by item."""
        self.speak(text, calls)
        if len(self.said) > 1 and self.said[-2].role == "assistant":
            later, earlier = self.said.pop(), self.said.pop()
            words = "\n\n".join(filter(None, (earlier.text, later.text)))
            self.said.append(ChatMessage("assistant", words, earlier.tool_calls + later.tool_calls))

    def bring(self, call_id: str, text: str) -> None:
        """Add the result of a tool; consecutive results form one message."""
        result = ToolResult(self._tools.get(call_id, ""), text)
        if self.said and self.said[-1].tool_results:
            self._result_ids.append(call_id)
            self.said[-1] = self.said[-1]._replace(
                tool_results=(*self.said[-1].tool_results, result)
            )
        else:
            self._result_ids = [call_id]
            self.said.append(ChatMessage("user", "", (), (result,)))


def parts_of(content: object) -> Iterator[JsonObject]:
    """The parts of a content that has any."""
    if isinstance(content, list):
        yield from (part for part in content if isinstance(part, dict))


def text_of(content: object) -> str:
    """The words of a content: a text, or parts of which some have one."""
    if isinstance(content, str):
        return content
    texts = (part.get("text") or part.get("refusal") for part in parts_of(content))
    return "\n".join(text for text in texts if isinstance(text, str))


def call_of(function: JsonObject) -> ToolCall:
    """A call of a tool, by its name and its arguments as JSON; what is no object has no arguments."""
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except (ValueError, RecursionError):
        arguments = {}
    return ToolCall(str(function.get("name", "")), arguments if isinstance(arguments, dict) else {})
