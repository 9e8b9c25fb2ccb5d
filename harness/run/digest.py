"""Digest of what two runs of one seed must have in common: all calls and all spans."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from harness.run.one import world_of
from harness.run.target import TargetWorld
from harness.scenario import LoadedScenario
from harness.spans import Table, as_json_lines
from harness.wire.call import Call


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call as it is compared: what the model was told, and what it said."""

    start_s: float
    task: int
    agent: str
    number: int
    """1 for the first call of the run."""
    prompt: str
    reply: str
    tools: str
    """The tools that the reply asked for, with their arguments."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A run as it is compared with another of the same seed."""

    exchanges: tuple[Exchange, ...]
    """In the order of their beginnings, and of tasks."""
    spans: tuple[str, ...]
    """Spans and events, each as a line of JSON."""
    output: str = ""
    """What the program returned, or what it raised."""
    written: tuple[str, ...] = ()
    """Files that the program opened to write, as far as anybody watched."""


def digest_of(spans: Table, events: Table, calls: Iterable[Call], output: str = "") -> Digest:
    """Make the digest of a run.

    Args:
        spans: Its spans.
        events: Its events.
        calls: Its calls.
        output: What the program returned.
    """
    exchanges = [
        Exchange(
            start_s=call.span.arrival_s,
            task=call.span.task,
            agent=call.agent,
            number=call.number,
            prompt=_told(call),
            reply="" if call.reply is None else call.reply.text,
            tools="" if call.reply is None else _text(call.reply.tool_calls),
        )
        for call in calls
    ]
    exchanges.sort(key=lambda one: (one.start_s, one.task, one.number))
    lines = (as_json_lines(spans) + as_json_lines(events)).splitlines()
    return Digest(tuple(exchanges), tuple(lines), output)


def _told(call: Call) -> str:
    parts = [call.request.system]
    for said in call.request.conversation:
        parts += [said.text, _text(said.tool_calls), _text(said.tool_results)]
    return "\n".join(part for part in parts if part)


def _text(parts: tuple[object, ...]) -> str:
    return json.dumps(parts, default=str) if parts else ""


def digest_of_run(scenario: LoadedScenario, seed: int) -> Digest:
    """Execute a run of a scenario, and make its digest.

    Args:
        scenario: What to simulate.
        seed: The integer from which all random values are derived.
    """
    with world_of(scenario, seed) as world:
        world.execute()
    # A pattern has no wire on which prompts could be seen; its spans are compared.
    calls = world._wired.calls if isinstance(world, TargetWorld) else ()  # noqa: SLF001 - of its own package
    return digest_of(world.log.spans, world.log.events, calls)


def as_json(digest: Digest) -> str:
    """Write a digest, for another process."""
    return json.dumps(asdict(digest))


def from_json(text: str) -> Digest:
    """Read what `as_json` has written."""
    held = json.loads(text)
    exchanges = tuple(Exchange(**one) for one in held.pop("exchanges"))
    return Digest(exchanges, **{name: _tuple(value) for name, value in held.items()})


def _tuple(value: object) -> Any:  # noqa: ANN401 - of a field
    return tuple(value) if isinstance(value, list) else value
