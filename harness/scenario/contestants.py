"""The section `bakeoff`: ways to do the same tasks, by name. A simulation runs one of them, and a bake-off several.

An entry that is called as a pattern is configured as that pattern. One of another name holds a pattern, or a program of
the user's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from harness.fields import Tagged
from harness.patterns import PATTERNS, AnyPattern, Pattern

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of one's own that does the same tasks."""

    target: str
    """The function, as `module:function`; it is given the text of the task if it takes an argument."""
    allow_unmatched: bool = False
    """Whether calls that match no agent are answered by made-up ones; else they are an error."""


class ByName(Tagged):
    """Marks a mapping from names to patterns and programs."""

    def __init__(self) -> None:
        super().__init__(PATTERNS)

    def __get_pydantic_core_schema__(
        self,
        _source: Any,  # noqa: ANN401 - pydantic's hook
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Validate an entry by its name, or by what it holds if no pattern has that name."""
        from pydantic_core import core_schema

        return core_schema.typed_dict_schema(
            {
                name: core_schema.typed_dict_field(handler.generate_schema(pattern), required=False)
                for name, pattern in PATTERNS.items()
            },
            extra_behavior="allow",
            extras_schema=core_schema.tagged_union_schema(
                {
                    "pattern": handler.generate_schema(AnyPattern),
                    "program": handler.generate_schema(Program),
                },
                discriminator=lambda entry: "program" if is_program(entry) else "pattern",
            ),
            config=core_schema.CoreConfig(strict=True, allow_inf_nan=False),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's hook
        """Say in the JSON Schema that there is an entry."""
        return {**handler(schema), "minProperties": 1}


def is_program(entry: object) -> bool:
    """Whether an entry of a file, as it was read, is of a program."""
    return isinstance(entry, dict) and "target" in entry


Contestants = Annotated[dict[str, Pattern | Program], ByName()]
"""Patterns and programs by name, as a scenario file says it."""
