"""A tool that the provider itself uses while it makes a reply, such as a web search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import StubError
from harness.json_types import JsonObject

SERVER_TOOLS = (
    "web_search",
    "web_fetch",
    "code_execution",
    "text_editor_code_execution",
    "file_search",
    "image_generation",
    "mcp",
    "tool_search",
)
"""The names of these tools, whatever an API calls them."""

_ALIASES = {
    "code_interpreter": "code_execution",
    "bash_code_execution": "code_execution",
    "tool_search_tool_regex": "tool_search",
    "tool_search_tool_bm25": "tool_search",
    "web_search_preview": "web_search",
}


@dataclass(frozen=True, slots=True, init=False)
class ServerTool:
    """One use of a server tool, with what it finds.

    It can be a reply by itself: the tool is used, and the text follows. Several in one reply go into `Reply.server_tools`.

    Args:
        tool: `web_search`, `web_fetch`, `code_execution`, `text_editor_code_execution`, `file_search`,
            `image_generation`, `mcp` or `tool_search`; also as an API calls them.
        results: What it finds: one or many, each a text, a URL, or a dict with fields such as `url`, `title` and `text`.
        text: What the model says after it, where the use is a reply by itself; empty means the results.
        error: The error code with which it fails; empty if it does not.
        pauses: Whether the turn is paused after it (`pause_turn` at Anthropic), to be continued by the client.
        latency_s: How long it takes [s]; None means a usual time.
        input: What the tool is given: `query=`, `url=`, `code=`, `prompt=`; for `mcp` also `server=`, `name=` and
            `arguments=`.
    """

    tool: str
    results: tuple[JsonObject, ...]
    """What it finds; a text is `{"text": ...}`, a URL `{"url": ...}`."""
    text: str
    error: str
    pauses: bool
    latency_s: float | None
    input: JsonObject

    def __init__(
        self,
        tool: str,
        /,
        *,
        results: str | JsonObject | Sequence[str | JsonObject] = (),
        text: str = "",
        error: str = "",
        pauses: bool = False,
        latency_s: float | None = None,
        **input: Any,  # noqa: A002, ANN401 - JSON, called as the APIs call it
    ) -> None:
        many = [results] if isinstance(results, str | dict) else results
        values = {
            "tool": _ALIASES.get(tool, tool),
            "results": tuple(_result(one) for one in many),
            "text": text,
            "error": error,
            "pauses": pauses,
            "latency_s": latency_s,
            "input": input,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def failing(self, error: str) -> ServerTool:
        """The same use, if it fails.

        Args:
            error: The error code.
        """
        return ServerTool(
            self.tool,
            results=self.results,
            text=self.text,
            error=error,
            pauses=self.pauses,
            latency_s=self.latency_s,
            **self.input,
        )

    @property
    def told(self) -> str:
        """What the model says after it where nothing is stated."""
        if self.text or self.pauses:
            return self.text
        texts = [one.get("text") or one.get("stdout") for one in self.results]
        found = [str(text) for text in texts if text]
        return "\n".join(found) or "Done."


def _result(one: str | JsonObject) -> JsonObject:
    if isinstance(one, dict):
        return {**one, "files": _files(one["files"])} if "files" in one else one
    return {"url": one} if one.startswith(("http://", "https://")) else {"text": one}


def _files(given: object) -> list[JsonObject]:
    """The files that a use writes, each with its name and its content.

    Raises:
        StubError: One of them has something else, or no name.
    """
    many: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
    named = [{"name": one} if isinstance(one, str) else one for one in many]
    for one in named:
        if not (
            isinstance(one, dict)
            and one.keys() <= {"name", "content"}
            and isinstance(one.get("name"), str)
            and isinstance(one.get("content", ""), str | bytes)
        ):
            raise StubError(
                f"files of a server tool: expected a name, or a name and a content (got {one!r})\n"
                '  How to fix: "files": [{"name": "sums.csv", "content": "a,b"}], where the content is a text or bytes'
            )
    return named
