"""A fault that matters at one call of many is found without trying each class of faults at each of them."""

from __future__ import annotations

import anthropic
import pytest

from harness.explore.deviation import Fault
from harness.sim import Sim

PAGES = 12


async def read(spoiled_by: str) -> list[str]:
    """Pages are read one after another; one of them is taken as it comes."""
    client, notes = anthropic.AsyncAnthropic(api_key="test", max_retries=0), list[str]()
    for page in range(PAGES):
        try:
            message = await client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=100,
                messages=[{"role": "user", "content": f"page {page}"}],
            )
        except anthropic.APIStatusError as error:
            is_spoiled = spoiled_by == "status" and error.status_code == 400
            notes.append("spoiled" if page == 7 and is_spoiled else "none")
            continue
        except (anthropic.APIError, ValueError):
            notes.append("none")
            continue
        is_cut = getattr(message, "stop_reason", "") == "max_tokens"
        notes.append("spoiled" if page == 7 and is_cut and spoiled_by == "truncated" else "read")
    return notes


@pytest.mark.parametrize("fault", ["truncated", "status"])
def test_one_call_of_many_is_found_that_does_not_survive_a_class_of_faults(fault: str) -> None:
    sim = Sim(1)
    sim.agent("reader", reply="read and understood", latency_s=2.0)
    (finding,) = sim.explore(
        read, fault, check=lambda notes: "spoiled" not in notes, runs=80, at_most=1
    ).findings
    (met,) = finding.overrides
    assert isinstance(met, Fault)
    assert met.name == fault
    assert "call 8 of reader" in finding.story
    assert finding.runs_to_shrink <= 20
