"""Claims in words: which were false, their origins, causes and ways, and which tool calls an injection caused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.spans import CLAIMS, FALSE_CLAIM, INJECTED_CALL, Table

_SHOWN_MAX = 10
"""How many false claims are told; the events have all."""


class Noted(NamedTuple):
    """An event, as far as claims need it."""

    task: int
    agent: str
    name: str
    detail: str


def noted_in(events: Table) -> list[Noted]:
    """The events of a run that tell of claims."""
    if not {CLAIMS, FALSE_CLAIM, INJECTED_CALL} & set(events.texts):
        return []
    return [Noted(*row) for row in events.rows(*Noted._fields)]


def claims_told(events: Iterable[Noted], *, in_detail: bool = False) -> Iterator[str]:
    """What to say of the claims of a run, a line each; nothing where nothing was claimed.

    Args:
        events: Its events, or those of one task.
        in_detail: Whether the words of claims and the arguments of tools are told.
    """
    mine = list(events)
    outputs = [json.loads(event.detail) for event in mine if event.name == CLAIMS]
    if outputs:
        claims = sum(output["claims"] for output in outputs)
        false = sum(output["false"] for output in outputs)
        contaminated = sum(output["false"] > 0 for output in outputs)
        yield f"claims in outputs: {claims:,}, of them {false:,} false, in {contaminated:,} of {len(outputs):,} outputs"
    told = [(event, json.loads(event.detail)) for event in mine if event.name == FALSE_CLAIM]
    told.sort(key=lambda it: not it[1]["in_output"])
    for event, said in told[:_SHOWN_MAX]:
        words = f", {said['text']!r}" if in_detail and "text" in said else ""
        yield f"  task {event.task}: {_false_claim(event, said)}{words}"
    if len(told) > _SHOWN_MAX:
        yield f"  ... and {len(told) - _SHOWN_MAX:,} more false claims"
    for event in mine:
        if event.name == INJECTED_CALL:
            use = json.loads(event.detail)
            what = f"{use['tool']}({_arguments(use)})" if in_detail else use["tool"]
            yield f"  task {event.task}: {event.agent} used {what}, because an injected instruction said so"


def _arguments(use: JsonObject) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in use["arguments"].items())


def _false_claim(event: Noted, said: JsonObject) -> str:
    where = "in the output" if said["in_output"] else "not in the output"
    hops = f"{said['hops']} hop{'' if said['hops'] == 1 else 's'}"
    cause = f"{said['cause']}, against {said['opposes']}" if "opposes" in said else said["cause"]
    return f"false claim of {event.agent} ({cause}), {hops}, {where}: {' -> '.join(said['way'])}"
