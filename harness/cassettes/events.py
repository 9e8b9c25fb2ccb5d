"""Plain data from YAML, built from the parser's events.

No tag makes an object, an alias is the very object that it names, and nesting has a bound; so a hostile file neither runs code
nor takes more time or memory than its size. Only what cassettes use is read: texts, binary texts, lists and mappings. A plain
scalar stays a text of the type `Plain`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import yaml

from harness.json_types import JsonObject

MAX_DEPTH = 100
"""How deeply a file may be nested."""

_TEXT_TAGS = frozenset(
    {"tag:yaml.org,2002:str", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "!"}
)
_BINARY = "tag:yaml.org,2002:binary"
_PYTHON_TEXT = frozenset({"tag:yaml.org,2002:python/unicode", "tag:yaml.org,2002:python/str"})
"""How recorders under Python 2 marked texts; they are texts."""
_PLAIN_COLLECTIONS = frozenset(
    {
        "!",
        "tag:yaml.org,2002:map",
        "tag:yaml.org,2002:seq",
        "tag:yaml.org,2002:python/tuple",
        # vcrpy's own, for bodies that were files or iterators; what is in them is read, and no object is made.
        "tag:yaml.org,2002:python/object/new:_io.BytesIO",
        "tag:yaml.org,2002:python/object/apply:builtins.iter",
    }
)
_PYTHON_BYTES = frozenset({"tag:yaml.org,2002:python/bytes"})

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Plain(str):
    """A scalar without quotes; it may mean a number, a truth value or nothing."""

    __slots__ = ()


class NotPlainDataError(ValueError):
    """The file has something that is no plain data.

    Args:
        line: Where, from 1.
        what: What it is.
    """

    def __init__(self, line: int, what: str) -> None:
        super().__init__(line, what)
        self.line = line
        self.what = what


def read_events(text: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read the first document.

    Raises:
        yaml.YAMLError: It is not YAML.
        NotPlainDataError: It has tags that make objects, or is nested too deeply.
    """
    return _Builder(iter(yaml.parse(text, Loader=_LOADER))).document()


class _Builder:
    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._named: JsonObject = {}

    def document(self) -> Any:  # noqa: ANN401 - see read_events
        """Build without recursion: the open lists and mappings are on a stack."""
        root: list[Any] = []
        stack: list[tuple[Any, list[Any]]] = [(root, [])]
        for event in self._events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                value = self._scalar(event)
            elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
                value = [] if kind is yaml.SequenceStartEvent else {}
                self._check(event, len(stack))
            elif kind is yaml.AliasEvent:
                value = self._named.get(event.anchor)  # type: ignore[attr-defined]  # an alias has it
            elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
                stack.pop()
                continue
            elif kind is yaml.DocumentEndEvent:
                break
            else:
                continue
            anchor = getattr(event, "anchor", None)
            if anchor is not None and kind is not yaml.AliasEvent:
                self._named[anchor] = value
            _put(stack[-1], value, event)
            if kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
                stack.append((value, []))
        return root[0] if root else None

    def _check(self, event: Any, depth: int) -> None:  # noqa: ANN401 - an event
        line = event.start_mark.line + 1
        if depth > MAX_DEPTH:
            raise NotPlainDataError(line, f"it is nested more than {MAX_DEPTH} deep")
        if event.tag is not None and event.tag not in _PLAIN_COLLECTIONS:
            raise NotPlainDataError(line, f"the tag {_short(event.tag)} asks for an object")

    def _scalar(self, event: Any) -> Any:  # noqa: ANN401 - see read_events
        tag = event.tag
        if tag is None:
            return event.value if event.style else Plain(event.value)
        if tag in _TEXT_TAGS or tag in _PYTHON_TEXT:
            return event.value
        line = event.start_mark.line + 1
        if tag == _BINARY:
            try:
                return base64.b64decode(event.value)
            except (binascii.Error, ValueError):
                raise NotPlainDataError(line, "the text under !!binary is not base64") from None
        if tag in _PYTHON_BYTES:
            return base64.b64decode(event.value)
        raise NotPlainDataError(line, f"the tag {_short(tag)} asks for an object")


def _put(place: tuple[Any, list[Any]], value: object, event: Any) -> None:  # noqa: ANN401 - an event
    """Add a value to the list, or the key or the value to the mapping, that is open."""
    holder, key = place
    if isinstance(holder, list):
        holder.append(value)
    elif key:
        holder[key.pop()] = value
    elif isinstance(value, str):
        key.append(value)
    else:
        raise NotPlainDataError(event.start_mark.line + 1, "a key is no text")


def _short(tag: str) -> str:
    tag = tag.replace("tag:yaml.org,2002:", "!!")
    return repr(tag if len(tag) <= 60 else f"{tag[:60]}...")


def resolved(value: Any) -> Any:  # noqa: ANN401 - plain data
    """Plain data with numbers, truth values and nothing in place of the scalars that mean them."""
    if isinstance(value, Plain):
        return _meant(value)
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if isinstance(value, dict):
        return {key: resolved(each) for key, each in value.items()}
    return value


_WORDS: JsonObject = {"null": None, "~": None, "": None, "true": True, "false": False}


def _meant(scalar: str) -> Any:  # noqa: ANN401 - a scalar
    word = scalar.lower()
    if word in _WORDS:
        return _WORDS[word]
    for kind in (int, float):
        try:
            return kind(scalar)
        except ValueError:
            continue
    return str(scalar)
