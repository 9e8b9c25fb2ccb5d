"""Read a YAML file and keep the position of every value."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml

from harness.errors import ScenarioError
from harness.json_types import JsonObject

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_BYTES = 16_000_000
"""Twice what a program writes that lists a hundred thousand agents one by one."""

MAX_VALUES = 200_000
"""Aliases may repeat a part of the file; a file that unfolds to more values than this, and to more than it could hold written out,
is a bomb, not a scenario."""

_MIN_CHARACTERS = 2
"""Characters that a value takes at least, with what parts it from the next."""

MAX_DEPTH = 50
"""Five times as deep as a scenario goes; PyYAML's parser in C would crash at some ten thousand."""

MAX_NUMBER = 10**15
"""Thirty million years in seconds; sums of such numbers still fit into 64 bits, and quotients into a float."""

_VALUE_SHOWN = 60

_TOO_DEEP = f"the file is nested more than {MAX_DEPTH} levels deep"

_YAML_MERGE = "tag:yaml.org,2002:merge"

Path_ = tuple[str | int, ...]
"""The keys and indices that lead to a value."""


class Place(NamedTuple):
    """Where something stands in a file, both from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """The content of a file, and where each part of it stands."""

    file: str
    """The file's name, as it was given."""
    data: Any = None
    """What it says: mappings, lists, texts, numbers, booleans and None."""
    keys: dict[Path_, Place] = field(default_factory=dict)
    """Where each key or list item begins."""
    values: dict[Path_, Place] = field(default_factory=dict)
    """Where each value begins."""
    overrides: dict[Path_, str] = field(default_factory=dict)
    """What stands in no file, because `--set` said it: each as `path=value`."""
    is_file: bool = True
    """Whether it was read from a file, which has lines and columns."""

    def place(self, path: Path_, *, of_key: bool = False) -> str:
        """Where something stands, as `file:line:column`; that of the part around it if it stands nowhere itself."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.overrides:
                return f"--set {self.overrides[path[:length]]}"
        if not self.is_file:
            return self.file
        line, column = self.find(path, of_key=of_key)
        return f"{self.file}:{line}:{column}"

    def find(self, path: Path_, *, of_key: bool = False) -> Place:
        """Where something stands; see `place`."""
        for length in range(len(path), -1, -1):
            table = self.keys if of_key and length else self.values
            if path[:length] in table:
                return table[path[:length]]
        return Place(1, 1)


def read_yaml(path: Path, name: str) -> Document:
    """Read a file.

    Args:
        path: The file.
        name: How to call it in messages.

    Raises:
        ScenarioError: It cannot be read, or is not YAML of plain values with keys that are texts and occur once.
    """
    return parse_yaml(_read_text(path, name), name)


def parse_yaml(text: str, name: str) -> Document:
    """Parse a text; see `read_yaml`."""
    document = Document(name)
    try:
        _check_depth(text, name)
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            most = max(MAX_VALUES, (len(text) + 1) // _MIN_CHARACTERS)
            _Reader(loader, document, most).read(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        hint = _hint(text, error)
        raise ScenarioError(
            f"{name}:{line}:{column}: this is not YAML: {error.problem or error.context}{hint}"
        ) from None
    except yaml.YAMLError as error:
        raise ScenarioError(
            f"{name}:1:1: this is not YAML: {' '.join(str(error).split())}"
        ) from None
    return document


def _read_text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioError(
                f"{name}: the file is larger than {MAX_BYTES:,} bytes, which is too large for a scenario; "
                "agents that are alike are one entry with a `count`"
            )
        content = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"{name}: the file cannot be read: {error.strerror or error}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScenarioError(
            f"{name}:{line}:1: the file is not text in UTF-8; is it binary?"
        ) from None


def _check_depth(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                place = _place(event)
                raise ScenarioError(f"{name}:{place.line}:{place.column}: {_TOO_DEEP}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _hint(text: str, error: yaml.MarkedYAMLError) -> str:
    line = (
        text.splitlines()[error.problem_mark.line : error.problem_mark.line + 1]
        if error.problem_mark
        else []
    )
    if line and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]:
        return "; indent with spaces, not with tabs"
    return ""


class _Reader:
    """Turns nodes into values, and notes where they stand."""

    def __init__(self, loader: Any, document: Document, most: int) -> None:  # noqa: ANN401 - yaml's loaders share no public base
        self._most = most
        self._loader = loader
        self._document = document
        self._count = 0
        self._open: list[yaml.Node] = []

    def read(self, node: yaml.Node, path: Path_) -> None:
        self._document.data = self._value(node, path)

    def _value(self, node: yaml.Node, path: Path_) -> Any:  # noqa: ANN401 - a YAML value
        self._document.values[path] = _place(node)
        self._count += 1
        if self._count > self._most:
            self._fail(
                node,
                f"with its aliases expanded, the file has more than {self._most:,} values",
            )
        if any(node is around for around in self._open):
            self._fail(node, "an alias contains itself")
        if len(self._open) == MAX_DEPTH:
            self._fail(node, _TOO_DEEP)
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self._item(item, path, index) for index, item in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._open.pop()

    def _item(self, node: yaml.Node, path: Path_, index: int) -> Any:  # noqa: ANN401 - a YAML value
        self._document.keys[(*path, index)] = _place(node)
        return self._value(node, (*path, index))

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> JsonObject:
        mapping = self._merged(node, path)
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _YAML_MERGE:
                continue
            key = self._key(key_node)
            if key in lines:
                self._fail(
                    key_node, f"the key {key!r} occurs twice; the first is on line {lines[key]}"
                )
            lines[key] = key_node.start_mark.line + 1
            self._document.keys[(*path, key)] = _place(key_node)
            mapping[key] = self._value(value_node, (*path, key))
        return mapping

    def _merged(self, node: yaml.MappingNode, path: Path_) -> JsonObject:
        """What the keys `<<` bring in; of several mappings the first wins, and the mapping's own keys win over all."""
        mapping: JsonObject = {}
        for key_node, value_node in node.value:
            if key_node.tag != _YAML_MERGE:
                continue
            several = isinstance(value_node, yaml.SequenceNode)
            for part in reversed(value_node.value) if several else [value_node]:
                if not isinstance(part, yaml.MappingNode):
                    self._fail(part, "`<<` takes a mapping, or a list of mappings")
                mapping |= self._value(part, path)
        self._document.values[path] = _place(node)
        return mapping

    def _key(self, node: yaml.Node) -> str:
        key = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            self._fail(
                node,
                f"a key must be a text; put {_shown(node)} into quotes"
                if key is not None
                else "a key must be a text",
            )
        return key

    def _scalar(self, node: yaml.Node) -> Any:  # noqa: ANN401 - a YAML value
        try:
            value = self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError, ArithmeticError, LookupError, AttributeError):
            self._fail(
                node,
                f"{_shown(node)} cannot be read as {node.tag.rpartition(':')[2]}; put it into quotes",
            )
        if isinstance(value, float) and not math.isfinite(value):
            self._fail(node, f"{node.value} is not a finite number")
        if isinstance(value, int | float) and not 1 / MAX_NUMBER <= (abs(value) or 1) <= MAX_NUMBER:
            self._fail(
                node,
                f"the number is beyond {MAX_NUMBER:.0e}, or closer to 0 than {1 / MAX_NUMBER:.0e}",
            )
        if value is not None and not isinstance(value, str | int | float):
            self._fail(
                node, f"{_shown(node)} is read as a {type(value).__name__}; put it into quotes"
            )
        return value

    def _fail(self, node: yaml.Node, problem: str) -> NoReturn:
        place = _place(node)
        raise ScenarioError(f"{self._document.file}:{place.line}:{place.column}: {problem}")


def _shown(node: yaml.Node) -> str:
    text = repr(node.value)
    return text if len(text) <= _VALUE_SHOWN else f"{text[:_VALUE_SHOWN]}..."


def _place(node: yaml.Node | yaml.Event) -> Place:
    assert node.start_mark is not None, "only nodes that are made by hand have no mark"
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
