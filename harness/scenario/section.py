"""What every part of a scenario file has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the file. Unknown keys are errors, and values are not converted to another type."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        defer_build=True,  # of the two kinds of file a process reads one, and building takes a tenth of a second
    )


NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"

Name = Annotated[str, Field(pattern=NAME, max_length=100)]
"""A name of one word, of letters, digits, `_`, `.` and `-`."""
