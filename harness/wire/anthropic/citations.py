"""What a text cites: passages of documents and search results of the request, and of what server tools found.

The forms are those of https://platform.claude.com/docs/en/build-with-claude/citations: characters of plain text, blocks of
content, pages of a PDF, search results, and web search results, which are cited whether or not a reply says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.errors import StubError
from harness.json_types import JsonObject
from harness.models import Reply
from harness.wire.anthropic.server_tools import encrypted
from harness.wire.anthropic.turns import Turn, blocks_of
from harness.wire.api import Ids

_CITED_CHARS = 150
"""How much of a web page is cited at most [characters]
(https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool#citations)."""
_INDEX_TOKENS = 40


def _sources_in(turns: Iterable[Turn]) -> tuple[JsonObject, ...]:
    """The documents and search results of a conversation that may be cited, in order, each with its index."""
    found: list[JsonObject] = []
    counts = {"document": 0, "search_result": 0}
    for block in _all_blocks(turns):
        kind = block["type"]
        if kind in counts:
            if (block.get("citations") or {}).get("enabled"):
                found.append({**block, "index": counts[kind]})
            counts[kind] += 1
    return tuple(found)


def _all_blocks(turns: Iterable[Turn]) -> Iterator[JsonObject]:
    for turn in turns:
        for block in turn.blocks:
            yield block
            if block["type"] == "tool_result":
                yield from blocks_of(block.get("content") or [])


def citations_of(reply: Reply, turns: Iterable[Turn], ids: Ids) -> list[JsonObject]:
    """The citations of a reply.

    Args:
        reply: The reply.
        turns: The conversation.
        ids: Where encrypted parts come from.

    Raises:
        StubError: It cites what is nowhere to be read.
    """
    pages = [one for use in reply.server_tools if use.tool == "web_search" for one in use.results]
    if not reply.cites:
        return [_page(page, str(page["text"]), ids) for page in pages if page.get("text")]
    sources = _sources_in(turns)
    return [_citation(passage, sources, pages, ids) for passage in reply.cites]


def _citation(
    passage: str, sources: Sequence[JsonObject], pages: Sequence[JsonObject], ids: Ids
) -> JsonObject:
    for source in sources:
        place = _place(passage, source)
        if place is not None:
            return place
    for page in pages:
        if passage in str(page.get("text") or ""):
            return _page(page, passage, ids)
    raise StubError(
        f"a reply cites {passage!r}, which is in no document or search result with citations enabled\n"
        "  How to fix: cite a passage of one of them, word for word; or let the request enable their citations"
    )


def _page(page: JsonObject, passage: str, ids: Ids) -> JsonObject:
    return {
        "type": "web_search_result_location",
        "cited_text": passage[:_CITED_CHARS],
        "url": page.get("url") or "",
        "title": page.get("title"),
        "encrypted_index": encrypted("index", _INDEX_TOKENS, ids),
    }


def _place(passage: str, source: JsonObject) -> JsonObject | None:
    """Where a passage is in a source; None if it is not."""
    if source["type"] == "search_result":
        blocks = [block.get("text", "") for block in source.get("content") or ()]
        at = _block_with(passage, blocks)
        return at and {
            "type": "search_result_location",
            "cited_text": passage,
            "source": source.get("source") or "",
            "title": source.get("title"),
            "search_result_index": source["index"],
            **at,
        }
    inside: Any = source["source"]
    cited = {
        "cited_text": passage,
        "document_index": source["index"],
        "document_title": source.get("title"),
    }
    file = {"file_id": inside.get("file_id")}
    if inside.get("type") == "text":
        start = str(inside.get("data", "")).find(passage)
        end = start + len(passage)
        range_ = {"start_char_index": start, "end_char_index": end}
        return None if start < 0 else {"type": "char_location", **cited, **range_, **file}
    if inside.get("type") == "content":
        blocks = [block.get("text", "") for block in blocks_of(inside.get("content") or [])]
        at = _block_with(passage, blocks)
        return at and {"type": "content_block_location", **cited, **at, **file}
    # What a PDF says is not read: every passage is on its first page.
    pages = {"start_page_number": 1, "end_page_number": 2}
    return {"type": "page_location", **cited, **pages, **file}


def _block_with(passage: str, blocks: Sequence[str]) -> JsonObject | None:
    for number, text in enumerate(blocks):
        if passage in text:
            return {"start_block_index": number, "end_block_index": number + 1}
    return None
