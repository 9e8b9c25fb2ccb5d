"""Turn pydantic's errors into messages: place, key, value, what is allowed, and a suggestion."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import did_you_mean
from harness.fields import near_files
from harness.json_types import JsonObject
from harness.scenario.example_values import among, example_of, in_a_file
from harness.scenario.yaml_file import Document, Path_, Place

UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
"""What pydantic calls a key that a record does not have."""

_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")
"""What pydantic calls a key that must be there and is not."""

_TYPE_WORDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "dataclass_type": "a mapping",
    "dataclass_exact_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "int_parsing": "a whole number",
}

_PROBLEMS_SHOWN = 20
_ALLOWED_SHOWN = 12
_VALUE_SHOWN = 60


def explain(
    error: ValidationError,
    document: Document,
    root: type[BaseModel],
    *,
    but: Collection[str] = (),
    entries: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """One message per problem, in the order of the file.

    Args:
        error: What pydantic found.
        document: Where everything stands.
        root: The record that the file was read as; for the keys that are allowed.
        but: Sections of which nothing is said.
        entries: Names that stand for others in the file, and what stands there.
    """
    found: dict[tuple[object, ...], tuple[Place, Path_, ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        if entries:
            details["loc"] = tuple(entries.get(str(part), part) for part in details["loc"])
        loc = details["loc"]
        if loc[:1] and loc[0] in but:
            continue
        if details["type"] == "too_short" and _has_enough(details):
            continue  # its items are wrong, which is said of each of them
        path = (*_path_in(document.data, loc), *details.get("ctx", {}).get("at", ()))
        same = (path, details["type"], details["msg"], loc[-1:])
        found.setdefault(same, (document.find(path), path, details))
    return _texts(sorted(found.values(), key=itemgetter(0)), document, _schema_of(root))


def _texts(
    problems: Sequence[tuple[Place, Path_, ErrorDetails]], document: Document, schema: JsonObject
) -> list[str]:
    """The texts of the first, and how many more there are; a suggestion among many names takes its time."""
    texts: dict[str, None] = {}
    for number, (_, path, details) in enumerate(problems):
        if len(texts) == _PROBLEMS_SHOWN:
            more = len(problems) - number
            return [*texts, f"{document.file}: and {more} more problems like these"]
        texts[_explain_one(details, path, document, schema)] = None
    return list(texts)


def _schema_of(root: type[BaseModel]) -> JsonObject:
    return root.model_json_schema()


def nearest(word: str, known: Iterable[str]) -> str:
    """A suggestion, when something known looks like the word."""
    return did_you_mean(word, known)


def nearest_file(path: Path) -> str:
    """A suggestion, when a file in the same folder is called like one that is not there."""
    stems = {Path(name).stem: name for name in near_files(path)}
    near = difflib.get_close_matches(path.stem, stems, n=1, cutoff=0.6)
    return f"; did you mean {stems[near[0]]!r}?" if near else ""


def allowed(known: Iterable[str]) -> str:
    """The known words, as long as they are not too many."""
    names = list(known)
    more = f" and {len(names) - _ALLOWED_SHOWN} more" if len(names) > _ALLOWED_SHOWN else ""
    return f"; known are {', '.join(names[:_ALLOWED_SHOWN])}{more}" if names else ""


def dotted(path: Path_) -> str:
    """A path as it is written in messages and after `--set`, such as `faults[2].hang.for_s`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _explain_one(details: ErrorDetails, path: Path_, document: Document, schema: JsonObject) -> str:
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    if kind in UNKNOWN_KEY:
        key = str(details["loc"][-1])
        known = _keys_allowed(schema, path[:-1], document.data)
        return (
            f"{document.place(path, of_key=True)}: {_inside(path[:-1])}unknown key {key!r}"
            f"{nearest(key, known) or allowed(known)}"
        )
    if kind in _MISSING:
        key = str(details["loc"][-1])
        such = _such_as(key, _schemas_at(schema, path, document.data), schema)
        return f"{document.place(path)}: {_inside(path)}the key {key!r} is missing{such}"
    of_key = details["loc"][-1:] == ("[key]",)
    where = f"{document.place(path, of_key=of_key)}: {_inside(path)}"
    if kind == "too_short":
        there = len(value) or _show(value)
        return f"{where}must hold at least {context['min_length']}, not {there}"
    if kind == "string_pattern_mismatch":
        return f"{where}must be one word of letters, digits, `_`, `.` and `-`, not {_show(value)}"
    if kind == "unknown_name":
        return (
            where
            + details["msg"]
            + (nearest(str(value), context["known"]) or allowed(context["known"]))
        )
    if kind == "no_file":
        return where + details["msg"] + nearest_file(Path(context["path"]))
    if kind == "one_of" and isinstance(value, dict):
        return where + details["msg"]
    if kind in ("value_error", "cycle", "missing_tasks", "all_warmup", "one_of"):
        return where + in_words(details)
    hint = ""
    if kind in _TYPE_WORDS or kind == "literal_error":
        hint = _yaml_trap(kind, value) or _with_its_settings(value, path, document, schema)
    return f"{where}{in_words(details)}, not {_show(value)}{hint}"


def in_words(details: ErrorDetails) -> str:
    """What a value must be, or what is wrong with it, without the place and the value."""
    kind = details["type"]
    if kind in _MISSING:
        return "is missing"
    if kind in _TYPE_WORDS:
        return f"must be {_TYPE_WORDS[kind]}"
    message = (
        details["msg"]
        .removeprefix("Value error, ")
        .replace("Input should be", "must be")
        .replace("Tuple should", "the list should")
    )
    return message if kind == "value_error" else message[0].lower() + message[1:]


def _with_its_settings(value: object, path: Path_, document: Document, schema: JsonObject) -> str:
    """What to write in place of a bare name where a mapping from it to its settings belongs; empty if that is not so."""
    if not isinstance(value, str):
        return ""
    branches = [it for it in _schemas_at(schema, path, document.data) if "properties" in it]
    known = [name for it in branches if it.get("maxProperties") == 1 for name in it["properties"]]
    if value not in known:
        return nearest(value, known)
    (field, *_) = (it["properties"][value] for it in branches if value in it["properties"])
    return f"; write `{in_a_file(value, example_of(field, schema))}`"


def _path_in(data: Any, loc: tuple[int | str, ...]) -> Path_:  # noqa: ANN401 - a YAML value
    """The part of pydantic's location that is a path in the file; the rest are names of union branches."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(data, dict):
            there = part in data
        else:
            there = isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data)
        if there:
            data = data[part]
            path.append(part)
    return tuple(path)


def _has_enough(details: ErrorDetails) -> bool:
    """Whether a list that is told to be too short has enough items, of which some are wrong."""
    least: int = details["ctx"]["min_length"]
    return len(details["input"]) >= least


def _such_as(key: str, branches: Sequence[JsonObject], schema: JsonObject) -> str:
    """What to write for a key that is missing; empty if the JSON Schema does not know it."""
    for branch in branches:
        field = branch.get("properties", {}).get(key)
        if field is not None:
            written = in_a_file(key, example_of(field, schema))
            allowed_values = among(field, schema)
            also = f" ({allowed_values})" if allowed_values else ""
            return f"; write, for example, `{written}`{also}"
    return ""


def _keys_allowed(schema: JsonObject, path: Path_, data: Any) -> list[str]:  # noqa: ANN401 - a YAML value
    """The keys that the JSON Schema allows in the mapping at a path."""
    names = (
        name for branch in _schemas_at(schema, path, data) for name in branch.get("properties", {})
    )
    return list(dict.fromkeys(names))


def _schemas_at(schema: JsonObject, path: Path_, data: Any) -> list[JsonObject]:  # noqa: ANN401 - a YAML value
    """The parts of the JSON Schema that may say what stands at a path."""
    branches = [schema]
    for part in path:
        branches = [
            inner for branch in _resolved(schema, branches) for inner in _step(branch, part)
        ]
        data = data[part]
    return _resolved(schema, branches)


def _resolved(schema: JsonObject, branches: list[JsonObject]) -> list[JsonObject]:
    found: list[JsonObject] = []
    todo = list(branches)
    while todo:
        branch = todo.pop(0)
        if "$ref" in branch:
            todo.append(schema["$defs"][branch["$ref"].rpartition("/")[2]])
        for union in ("oneOf", "anyOf", "allOf"):
            todo.extend(branch.get(union, []))
        found.append(branch)
    return found


def _step(branch: JsonObject, part: str | int) -> list[JsonObject]:
    if isinstance(part, int):
        items = branch.get("items", {})
        return [items] if isinstance(items, dict) else []
    named = branch.get("properties", {})
    inner = (
        [named[part]]
        if part in named
        else [branch.get("additionalProperties"), *branch.get("patternProperties", {}).values()]
    )
    return [schema for schema in inner if isinstance(schema, dict)]


def _inside(path: Path_) -> str:
    return f"{dotted(path)}: " if path else ""


def _show(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None:
        return "empty"
    text = repr(value)
    return text if len(text) <= _VALUE_SHOWN else f"{text[:_VALUE_SHOWN]}..."


def _yaml_trap(kind: str, value: object) -> str:
    if isinstance(value, bool):
        return " (in YAML, yes, no, on and off are true and false)"
    if isinstance(value, str) and kind in ("float_type", "int_type"):
        try:
            is_number = math.isfinite(float(value))
        except ValueError:
            is_number = False
        if is_number:
            return (
                "; write an exponent as in 1.0e+3"
                if "e" in value.lower()
                else "; write it without quotes"
            )
    return ""
