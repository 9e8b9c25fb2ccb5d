"""What an agent and its model have said to each other in one turn."""

from __future__ import annotations

from collections.abc import Sequence

from harness.agents.context import Remembered
from harness.models import ChatMessage, Reply, ToolResult
from harness.provider.tokens import count_tokens


class Conversation:
    """A conversation that begins with a prompt, and goes on with replies and the results of tools.

    Args:
        prompt: What it begins with.
        tokens: Size of that [tokens].
    """

    def __init__(self, prompt: str, tokens: int) -> None:
        self.prompt = prompt
        """The last thing that the model was told."""
        self.input_tokens = tokens
        """Size of the conversation, without the system prompt [tokens]."""
        self.reply: Reply | None = None
        """The latest reply, until the conversation goes on."""
        self.said: tuple[ChatMessage, ...] = ()
        """The conversation up to that reply; empty while it is the prompt alone."""
        self.failures: tuple[str, ...] = ()
        """What tools gave that failed."""

    def begin_with(self, kept: Sequence[Remembered]) -> None:
        """Put what is remembered of earlier turns before the prompt."""
        if kept:
            self.said = (*(one.said for one in kept), ChatMessage("user", self.prompt))
            self.input_tokens += sum(one.tokens for one in kept)

    def hear(self, results: Sequence[str], reminder: str = "") -> None:
        """Make the results of tools part of the conversation.

        Args:
            results: What the tools gave, in the order in which they were asked for.
            reminder: What the agent is told beside them.
        """
        asked = self.reply.tool_calls if self.reply is not None else ()
        tools = [call.tool for call in asked] + [""] * len(results)
        heard = [
            ToolResult(tool, text, text in self.failures)
            for tool, text in zip(tools, results, strict=False)
        ]
        before = self.said_so_far() or (ChatMessage("user", self.prompt),)
        self.said = (*before, ChatMessage("user", reminder, (), tuple(heard)))
        self.prompt = "\n\n".join([*results, reminder] if reminder else results)
        self.input_tokens += sum(map(count_tokens, results)) + count_tokens(reminder)

    def said_so_far(self) -> tuple[ChatMessage, ...]:
        """The conversation so far; empty while it is the prompt alone."""
        reply, self.reply = self.reply, None
        if reply is not None:
            before = self.said or (ChatMessage("user", self.prompt),)
            self.said = (*before, ChatMessage("assistant", reply.text, reply.tool_calls))
        return self.said
