"""Lost replies: their text is in no later prompt and not in the output."""

from __future__ import annotations

from harness.sim.call_view import CallView
from harness.sim.observed_run import ObservedRun


def lost_replies(run: ObservedRun) -> list[CallView]:
    """The calls of a run whose replies were not used, in the order in which they began."""
    used = {number for call in run.all_calls for number in call.heard} | set(run.kept or ())
    return [
        call
        for call in run.all_calls
        if call.text and call.number not in used and not _has_words_of(run, call)
    ]


def _has_words_of(run: ObservedRun, call: CallView) -> bool:
    """Whether the very words of a reply were used; those of `done` tell too little to be followed otherwise."""
    words = call.text.strip()
    in_output = run.output is not None and words in str(run.output)
    return in_output or any(
        words in told for later in run.all_calls[call.number :] for told in later.told
    )
