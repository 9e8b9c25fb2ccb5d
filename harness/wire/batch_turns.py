"""Start times of the requests of a batch: within minutes to an hour, in no particular order."""

from __future__ import annotations

from collections.abc import Sequence

from harness.wire.api import Ids, Moment

_MIN_S, _MAX_FACTOR = 120, 30
"""A batch takes from two minutes to an hour, each factor as likely as the other (a guess; see `anthropic/batches.py`)."""


def turns_of(moment: Moment, custom_ids: Sequence[str]) -> list[float]:
    """Start time of each request [s], in their order.

    A request's place in the order follows from its id: one more request in a batch does not shuffle the others.

    Args:
        moment: When the batch is created.
        custom_ids: The ids that the program gave the requests.
    """
    share = moment.ids.number("batch duration", 10**6) / 10**6
    took_s = round(_MIN_S * _MAX_FACTOR**share)
    ranks = [
        Ids(f"{moment.ids.root}\x1fturn\x1f{custom_id}").number("rank", 2**30)
        for custom_id in custom_ids
    ]
    order = sorted(range(len(ranks)), key=lambda number: (ranks[number], number))
    turns = [0.0] * len(ranks)
    for place, number in enumerate(order, 1):
        turns[number] = moment.at_s + took_s * place / len(ranks)
    return turns
