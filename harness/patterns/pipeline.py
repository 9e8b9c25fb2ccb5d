"""A pipeline: each agent works on the reply of the one before it, or on results that it is given by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from annotated_types import Ge, MinLen

from harness.agents import Message
from harness.fields import OrRecord
from harness.models.schemas import mistake, violation
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import TEAM, beginning
from harness.patterns.nested import MemberName

TASK = "task"
"""The name of what the user asks for, among the results."""


class ResultRefused(PatternError):  # noqa: N818 - names the condition
    """The result of a stage does not keep its schema, and the pipeline has gone back as often as it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a pipeline that says more than who it is."""

    agent: MemberName
    """Who."""
    name: str | None = None
    """What its result is called; absent means the agent's name, the second time with `-2`."""
    inputs: tuple[str, ...] = ()
    """What it is given: names of results of earlier stages, and `task`; absent means the result of the stage before."""
    schema: Mapping[str, Any] | None = None
    """The JSON Schema that its result must keep, as JSON; absent means that any text will do."""
    back_to: str | None = None
    """The stage that works again, told what is wrong, when the result does not keep the schema; absent means that the task
    fails."""

    def __post_init__(self) -> None:
        if self.schema is not None and (wrong := mistake(self.schema)) is not None:
            raise ValueError(f"`schema` is no JSON Schema: {wrong}")
        if self.back_to is not None and self.schema is None:
            raise ValueError("`back_to` needs a `schema` that a result may break")


AnyStage = Annotated[
    str | Stage, OrRecord(value=MemberName, record=Stage, key="agent", unless="pattern")
]
"""The name of an agent, or a mapping that says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Stages in a row; the first gets the task, each other the message of the stage before."""

    stages: Annotated[tuple[AnyStage, ...], MinLen(1)]
    """The agents, in order; one may occur more than once. A mapping with `agent` says what a stage is given, and what its
    result must be."""
    max_back: Annotated[int, Ge(0)] = 2
    """How often a task may go back to an earlier stage."""

    def __post_init__(self) -> None:
        named(self.stages)

    async def run(self, task: Message, team: Team) -> Message:
        """Pass the task down the row.

        Raises:
            ResultRefused: A result does not keep its schema, and there is no going back, or not once more.
        """
        stages = named(self.stages)
        places = {stage.name: place for place, stage in enumerate(stages)}
        results = {TASK: task}
        place, went_back = 0, 0
        told: tuple[Message, ...] = ()
        while place < len(stages):
            stage = stages[place]
            inputs = [results[name] for name in stage.inputs]
            result = await team[stage.agent].handle(*inputs, *told)
            wrong = _broken(result.text, stage.schema)
            if wrong is None:
                results[stage.name or ""] = result
                place, told = place + 1, ()
                continue
            if stage.back_to is None or went_back == self.max_back:
                raise ResultRefused(
                    f"the result of {stage.name} does not keep its schema: {wrong}: {beginning(result.text)!r}"
                )
            went_back, place = went_back + 1, places[stage.back_to]
            complaint = f"The result of {stage.name} was refused: {wrong}"
            told = (result.reply(TEAM, complaint, recipient=stage.back_to, type="error"),)
        return results[stages[-1].name or ""]


def named(stages: tuple[str | Stage, ...]) -> list[Stage]:
    """The stages with the names of their results, and of what each is given.

    Raises:
        ValueError: Two stages have one name, or one is given what is not there yet.
    """
    found: list[Stage] = []
    known = [TASK]
    for stage in stages:
        stated = stage if isinstance(stage, Stage) else Stage(agent=stage)
        name, number = stated.name or str(stated.agent), 1
        while name in known:
            if stated.name is not None:
                raise ValueError(f"two results are called {name!r}")
            number += 1
            name = f"{stated.agent}-{number}"
        for wanted in stated.inputs:
            if wanted not in known:
                raise ValueError(
                    f"{name} is given {wanted!r}, and before it there are {', '.join(known)}"
                )
        if stated.back_to is not None and stated.back_to not in [*known[1:], name]:
            raise ValueError(f"{name} goes back to {stated.back_to!r}, which is no stage up to it")
        found.append(replace(stated, name=name, inputs=stated.inputs or (known[-1],)))
        known.append(name)
    return found


def _broken(text: str, schema: Mapping[str, Any] | None) -> str | None:
    """How a text breaks a schema; None if it does not."""
    if schema is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "it is no JSON"
    return violation(value, dict(schema))
