"""The stubs of silent_gap.yaml and silent_gap_filled.yaml: three parts, and a lead who writes from those that there are."""

from __future__ import annotations

import re

from harness.models import Reply, Request

PARTS = ("market", "prices", "patents")


def part(request: Request) -> Reply:
    """One part of a report; an understudy writes the one that it stands in for."""
    name = re.search(r"/(\w+)", request.key)
    assert name is not None
    return Reply(f"[{name[1]}] what there is to say of it")


def lead(request: Request) -> Reply:
    """A report of the parts that the prompt has; complete, and right, if it has all."""
    found = [name for name in PARTS if f"[{name}]" in request.prompt]
    return Reply(f"Report on {', '.join(found)}.", correct=len(found) == len(PARTS))


def what_is_missing(report: str) -> str | None:
    """What a report does not speak of."""
    missing = [name for name in PARTS if name not in report]
    return f"{', '.join(missing)} missing" if missing else None
