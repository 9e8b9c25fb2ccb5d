"""False claims, as `harness show` tells them: origin, cause and way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from harness.printable import printable_line
from harness.spans import CLAIMS, FALSE_CLAIM, INJECTED_CALL
from harness.store.asking import Row

_SHOWN_MAX = 10
"""How many false claims are told; the events of the store have all."""


def claim_lines(events: Sequence[Row], task: int | None) -> Iterator[str]:
    """What to say of the claims of a run, or of one task; nothing where nothing was claimed.

    Args:
        events: The events of the run.
        task: The task; None means all.
    """
    mine = [event for event in events if task in (None, event["task"])]
    outputs = [json.loads(event["detail"]) for event in mine if event["name"] == CLAIMS]
    if outputs:
        claims = sum(output["claims"] for output in outputs)
        false = sum(output["false"] for output in outputs)
        contaminated = sum(output["false"] > 0 for output in outputs)
        yield f"claims in outputs: {claims:,}, of them {false:,} false, in {contaminated:,} of {len(outputs):,} outputs"
    told = [event for event in mine if event["name"] == FALSE_CLAIM]
    told.sort(key=lambda event: not json.loads(event["detail"])["in_output"])
    for event in told[:_SHOWN_MAX]:
        yield printable_line(_of_claim(event))
    if len(told) > _SHOWN_MAX:
        yield f"  ... and {len(told) - _SHOWN_MAX:,} more false claims"
    for event in mine:
        if event["name"] == INJECTED_CALL:
            use = json.loads(event["detail"])
            said = f"  task {event['task']}: {event['agent']} used {use['tool']}, because an injected instruction said so"
            yield printable_line(said)


def _of_claim(event: Row) -> str:
    said = json.loads(event["detail"])
    where = "in the output" if said["in_output"] else "not in the output"
    hops = f"{said['hops']} hop{'' if said['hops'] == 1 else 's'}"
    cause = f"{said['cause']}, against {said['opposes']}" if "opposes" in said else said["cause"]
    way = " -> ".join(said["way"])
    return (
        f"  task {event['task']}: false claim of {event['agent']} ({cause}), {hops}, {where}: {way}"
    )
