"""Tools that the provider uses itself, as a request offers them: what a use of them reads, costs and takes.

Which tools there are, what they cost and how they look in an answer is data of each API; what happens is the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from harness.json_types import JsonObject
from harness.models import Reply, ServerTool
from harness.provider.tokens import count_tokens
from harness.units import Usage

_FRAME_TOKENS = 33
"""What the model writes to use a tool, beside its input [tokens]; as for other tools."""


class Terms(NamedTuple):
    """On which terms a provider uses a tool."""

    usd: float = 0.0
    """The fee for a use [USD]; one that fails is free."""
    takes_s: float = 1.0
    """How long a use takes [s]; a guess."""
    result_tokens: int = 0
    """Size of a result of which no text is stated [tokens]; a guess."""


Permit = Literal["yes", "ask", "no"]
"""Whether a use is permitted: it is, the client must be asked first, or the client has forbidden it."""


def _freely(use: ServerTool) -> Permit:
    del use
    return "yes"


class Hosted(NamedTuple):
    """A tool as one request offers it."""

    name: str
    """As `ServerTool` names it."""
    terms: Terms
    definition: JsonObject
    """Its entry in the request."""
    server: str = ""
    """The MCP server whose tools it stands for; empty for other tools."""
    permits: Callable[[ServerTool], Permit] = _freely
    """Whether a use is permitted."""


def offer_of(hosted: Sequence[Hosted], use: ServerTool) -> Hosted | None:
    """The offer of a tool that is used; of several MCP servers, of the one that is named."""
    offers = [one for one in hosted if one.name == use.tool]
    named = [one for one in offers if one.server and one.server == use.input.get("server")]
    return next(iter(named or offers), None)


def as_permitted(reply: Reply, hosted: Sequence[Hosted]) -> Reply:
    """A reply without what is forbidden; it ends with the first use of a tool for which the client must be asked."""
    uses: list[ServerTool] = []
    for use in reply.server_tools:
        offer = offer_of(hosted, use)
        permit = "yes" if offer is None else offer.permits(use)
        if permit != "no":
            uses.append(use)
        if permit == "ask":
            return reply._replace(text="", tool_calls=(), server_tools=tuple(uses))
    return reply._replace(server_tools=tuple(uses)) if reply.server_tools else reply


def problems_of(uses: Iterable[ServerTool], hosted: Sequence[Hosted]) -> Iterator[str]:
    """The uses of tools that a request does not offer."""
    offered = list(dict.fromkeys(one.name for one in hosted))
    for number, use in enumerate(uses):
        if use.tool not in offered:
            known = f"it offers {', '.join(offered)}" if offered else "it offers none"
            yield f"server_tools[{number}]: {use.tool!r} is used, but the request does not offer it: {known}"


def with_wanted(reply: Reply, wanted: str) -> Reply:
    """A reply that uses the tool that its request demands, made up if its agent says nothing of it."""
    if not wanted or reply.refused or any(use.tool == wanted for use in reply.server_tools):
        return reply
    return reply._replace(server_tools=(*reply.server_tools, made_up(wanted)))


def made_up(tool: str) -> ServerTool:
    """A plain use of a tool."""
    return ServerTool(tool, **_PLAIN.get(tool, {}))


_PLAIN: dict[str, JsonObject] = {
    "web_search": {
        "query": "an example",
        "results": [
            {"title": "Example Domain", "url": "https://example.com/", "text": "An example."}
        ],
    },
    "web_fetch": {"url": "https://example.com/", "results": ["An example."]},
    "code_execution": {"code": "print(1)", "results": ["1\n"]},
    "file_search": {"query": "an example"},
    "image_generation": {"prompt": "an example"},
    "tool_search": {"query": "example"},
}


def tokens_written(uses: Iterable[ServerTool]) -> int:
    """What the model writes to use tools [tokens]."""
    return sum(_FRAME_TOKENS + count_tokens(_text(use.input)) for use in uses)


def usage_with(usage: Usage, uses: Sequence[ServerTool], hosted: Sequence[Hosted]) -> Usage:
    """What is read, with what the tools found; and what they cost and take."""
    if not uses:
        return usage
    read, fees_usd, takes_s = 0, 0.0, 0.0
    for use in uses:
        offer = offer_of(hosted, use)
        if offer is not None and offer.permits(use) != "yes":
            continue
        terms = Terms() if offer is None else offer.terms
        read += sum(result_tokens(one, terms) for one in use.results)
        fees_usd += 0.0 if use.error else terms.usd
        takes_s += seconds_of(use, hosted)
    return usage._replace(
        input_tokens=usage.input_tokens + read, fees_usd=fees_usd, tools_s=takes_s
    )


def seconds_of(use: ServerTool, hosted: Sequence[Hosted]) -> float:
    """How long one use takes [s]."""
    if use.latency_s is not None:
        return use.latency_s
    offer = offer_of(hosted, use)
    return Terms().takes_s if offer is None else offer.terms.takes_s


def waits_of(
    uses: Iterable[ServerTool], hosted: Sequence[Hosted], usage: Usage, writing_s: float
) -> Iterator[float]:
    """How long each use takes: what would be generated in the meantime [tokens].

    Args:
        uses: The uses.
        hosted: The tools that the request offers.
        usage: That of the reply.
        writing_s: From the first token to the last, tools and all [s].
    """
    generating_s = writing_s - usage.tools_s
    per_s = usage.output_tokens / generating_s if generating_s > 0 else 0.0
    for use in uses:
        yield seconds_of(use, hosted) * per_s


def result_tokens(result: JsonObject, terms: Terms) -> int:
    """What the model reads of one result [tokens]."""
    texts = [str(result[name]) for name in ("text", "stdout", "stderr") if result.get(name)]
    if texts:
        return count_tokens("\n".join(texts))
    return terms.result_tokens


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
