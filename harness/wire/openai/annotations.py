"""What a text cites of what OpenAI's own tools found."""

from __future__ import annotations

from hashlib import blake2b

from harness.json_types import JsonObject
from harness.models import Reply
from harness.wire.openai.encoding import compact


def file_of(one: JsonObject) -> JsonObject:
    """The file of a result; one that has no name has an id that follows from what it says."""
    digest = blake2b(compact(one).encode("utf-8", "replace"), digest_size=11).hexdigest()
    return {
        "file_id": one.get("file_id") or f"file-{digest}",
        "filename": one.get("filename") or one.get("title") or "file.txt",
    }


def annotations_of(reply: Reply) -> list[JsonObject]:
    """What a text cites: the pages and files that were found, where it names them, else as a whole."""
    found: list[JsonObject] = []
    for tool in reply.server_tools:
        for one in tool.results:
            if reply.cites and not any(said in str(one.get("text")) for said in reply.cites):
                continue
            if tool.tool == "web_search" and one.get("url"):
                found.append(_of_page(one, reply.text))
            elif tool.tool == "file_search":
                found.append(
                    {
                        "type": "file_citation",
                        **file_of(one),
                        "index": max(0, len(reply.text) - 1),
                    }
                )
    return found


def _of_page(page: JsonObject, text: str) -> JsonObject:
    url = page["url"]
    start = text.find(url)
    start, end = (0, len(text)) if start < 0 else (start, start + len(url))
    return {
        "type": "url_citation",
        "end_index": end,
        "start_index": start,
        "title": page.get("title") or url,
        "url": url,
    }
