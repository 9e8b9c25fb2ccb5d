"""Field types of records that scenario files set: a name, a file, one of several alternatives.

Records with behaviour (a fault, a distribution, a pattern) are defined with their behaviour in many folders, and the
scenario loader validates a file against these records. The types here carry what the loader has to know; pydantic
is imported only by the loader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class NameOf:
    """Marks a text as the name of something in a section of the scenario file."""

    section: str
    """The section, such as `agents`."""
    may_be_team: bool = False
    """Whether an entry of `agents` that is a team will do."""

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - pydantic's hook
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Check the name against the validation context, which holds the names of every section."""
        from pydantic_core import PydanticCustomError, core_schema

        def check(name: str, info: ValidationInfo) -> str:
            context = info.context or {}
            known = context.get(self.section)
            if known is not None and name not in known:
                if self.section == "agents" and name in context.get("counts", ()):
                    raise PydanticCustomError(
                        "cycle",
                        "{name} is {count} agents: name one, such as {one}, or all in a list of a pattern: {all}",
                        {
                            "name": repr(name),
                            "count": context["counts"][name],
                            "one": f"{name}-1",
                            "all": f"{{all: {name}}}",
                        },
                    )
                raise PydanticCustomError(
                    "unknown_name",
                    "there is no {name} under {section}",
                    {"name": repr(name), "section": self.section, "known": known},
                )
            if (
                not self.may_be_team
                and self.section == "agents"
                and name in context.get("teams", ())
            ):
                raise PydanticCustomError(
                    "cycle", "{name} is a team, and an agent is needed here", {"name": repr(name)}
                )
            return name

        return core_schema.with_info_after_validator_function(check, handler(source))


AgentName = Annotated[str, NameOf("agents")]
"""The name of an agent of the scenario."""

ModelName = Annotated[str, NameOf("models")]
"""The name of a model of the scenario."""

ProviderName = Annotated[str, NameOf("providers")]
"""The name of a provider of the scenario."""

ToolName = Annotated[str, NameOf("tools")]
"""The name of a tool of the scenario."""


@dataclass(frozen=True, slots=True)
class FileOfScenario:
    """Marks a text as the path of a file, looked up from the folder of the scenario."""

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - pydantic's hook
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Resolve the path against the validation context's `folder`, and check that the file is there."""
        from pydantic_core import PydanticCustomError, core_schema

        def resolve(name: str, info: ValidationInfo) -> str:
            folder = (info.context or {}).get("folder")
            if folder is None:
                return name
            path = path_from(folder, name)
            if not is_file(path):
                raise PydanticCustomError("no_file", "there is no file {path}", {"path": str(path)})
            return str(path)

        return core_schema.with_info_after_validator_function(resolve, handler(source))


ScenarioFile = Annotated[str, FileOfScenario()]
"""The path of a file that a scenario uses; a relative one starts at the scenario's folder."""


def path_from(folder: Path, name: str) -> Path:
    """The path that a name in a file means: absolute, relative to a home directory, or relative to the folder of that file."""
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:  # there is no such user
        return folder / name


def is_file(path: Path) -> bool:
    """Whether there is such a file that we can see."""
    try:
        return path.is_file()
    except OSError:  # the name is too long, or the folder is closed to us
        return False


def near_files(path: Path) -> list[str]:
    """The names of files beside a path that does not exist; for suggestions."""
    try:
        return sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):
        return []


class Tagged:
    """Marks a union as told apart by the key around it: `{lognormal: {median: 1, sigma: 0.4}}`.

    Pydantic has unions told apart by a field inside; a scenario file puts the name outside, where it is read first.

    Args:
        members: The type behind each key.
        number: What a bare number means; None when a bare number is an error.
        made_by: For a key whose value is not the member itself: what makes the member of the value.
        bare: The keys that may stand alone, as a text: `full` for `{full: {}}`.
    """

    def __init__(
        self,
        members: Mapping[str, Any],
        *,
        number: Callable[[float], Any] | None = None,
        made_by: Mapping[str, Callable[[Any], Any]] | None = None,
        bare: tuple[str, ...] = (),
    ) -> None:
        self._members = members
        self._number = number
        self._bare = bare
        self._made_by = {} if made_by is None else made_by  # it may be filled later

    @property
    def names(self) -> list[str]:
        """The keys."""
        return list(self._members)

    def __get_pydantic_core_schema__(
        self,
        _source: Any,  # noqa: ANN401 - pydantic's hook
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Validate a mapping by its one key, and a number if one is allowed."""
        from pydantic_core import core_schema

        strict = core_schema.CoreConfig(strict=True, allow_inf_nan=False)
        fields = {
            key: core_schema.typed_dict_field(handler.generate_schema(member), required=False)
            for key, member in self._members.items()
        }
        mapping: CoreSchema = core_schema.no_info_after_validator_function(
            self._only_value,
            core_schema.typed_dict_schema(fields, extra_behavior="forbid", config=strict),
        )
        if self._bare:
            alone = core_schema.no_info_after_validator_function(
                lambda name: self._members[name](), core_schema.literal_schema([*self._bare])
            )
            return core_schema.tagged_union_schema(
                {"mapping": mapping, "a word": alone},
                discriminator=lambda value: "mapping" if isinstance(value, dict) else "a word",
            )
        if self._number is None:
            return mapping
        number = core_schema.no_info_after_validator_function(
            self._number, core_schema.float_schema(ge=0)
        )
        return core_schema.tagged_union_schema(
            {"mapping": mapping, "number": number},
            discriminator=lambda value: "mapping" if isinstance(value, dict) else "number",
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say in the JSON Schema that there is exactly one key."""
        json_schema = handler(schema)
        for branch in json_schema.get("oneOf", [json_schema]):
            if branch.get("type") == "object":
                branch["minProperties"] = branch["maxProperties"] = 1
        return json_schema

    def _only_value(self, mapping: dict[str, Any]) -> Any:  # noqa: ANN401 - one of the members
        from pydantic_core import PydanticCustomError

        if len(mapping) != 1:
            raise PydanticCustomError(
                "one_of",
                "give exactly one of {names}, not {count}{given}",
                {
                    "names": ", ".join(self._members),
                    "count": len(mapping),
                    "given": f": {', '.join(mapping)}" if mapping else "",
                },
            )
        ((key, value),) = mapping.items()
        return self._made_by[key](value) if key in self._made_by else value


@dataclass(frozen=True, slots=True)
class OrRecord:
    """Marks a value that may also be a mapping with the keys of a record, which is told by one of them."""

    value: Any
    """The type of what is no such mapping."""
    record: Any
    """The record."""
    key: str
    """The key that a mapping of the record has; it is told as missing where `unless` is not there either."""
    unless: str | None
    """The key of mappings that are a value; None if only those with `key` are a record."""

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - pydantic's hook
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Validate a mapping as the record, and all else as a value."""
        from pydantic_core import core_schema

        def kind(found: object) -> str:
            is_record = isinstance(found, dict) and (
                self.key in found or (self.unless is not None and self.unless not in found)
            )
            return "a record" if is_record else "a value"

        return core_schema.tagged_union_schema(
            {
                "a record": handler.generate_schema(self.record),
                "a value": handler.generate_schema(self.value),
            },
            discriminator=kind,
        )
