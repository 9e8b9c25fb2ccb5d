"""The table of all planted bugs, in two halves; the search is tuned on half A, and half B tells how well that went."""

from __future__ import annotations

from typing import Literal

from tests.zoo import (  # noqa: F401 - whoever imports them fills the table
    caches,
    cancellations,
    effects,
    fault_pairs,
    latency_pairs,
    latency_races,
    later,
    later_still,
    later_threads,
    livelocks,
    messages,
    permits,
    streams,
    threads,
    ties,
)
from tests.zoo.planted import ZOO, Planted

HALVES: dict[str, Literal["A", "B"]] = {
    "unguarded_answer": "A",
    "older_draft_last": "B",
    "late_result_beside_its_default": "A",
    "index_read_after_a_pause": "B",
    "absent_vote_is_forgotten": "A",
    "price_of_the_item_before": "B",
    "compensation_fails_too": "A",
    "shared_retry_budget": "B",
    "breaker_swallows_the_next": "A",
    "plan_that_nobody_made": "B",
    "resumed_from_an_old_checkpoint": "A",
    "merged_by_nobody": "B",
    "hedge_without_a_winner": "A",
    "lease_of_a_namesake": "B",
    "badge_that_has_expired": "A",
    "apology_that_comes_late": "B",
    "two_leaders": "A",
    "handover_at_the_hour": "B",
    "entry_that_expires_as_it_is_read": "A",
    "renewal_at_the_deadline": "B",
    "transfer_that_is_cancelled": "A",
    "retry_that_swallows_cancellation": "B",
    "board_that_stays_on_running": "A",
    "permit_kept_by_a_failure": "B",
    "pool_that_dries_up": "A",
    "lock_of_a_cancelled_writer": "B",
    "line_kept_after_half_a_reply": "A",
    "charged_again_for_the_receipt": "B",
    "redelivered_while_it_is_worked_on": "A",
    "order_of_a_lost_patience": "B",
    "shipped_on_both_ways": "A",
    "invalidated_before_it_was_stored": "B",
    "remembered_failure": "A",
    "tariff_read_before_the_talk": "B",
    "kitchen_opens_late": "A",
    "pulse_while_busy": "B",
    "queue_that_drops": "A",
    "letter_in_a_dead_hand": "B",
    "budget_read_before_the_call": "A",
    "settings_of_another_thread": "B",
    "reviews_in_order_of_completion": "A",
    "locks_in_two_orders": "B",
    "waits_for_what_has_failed": "A",
    "after_you": "B",
    "debate_without_a_judge": "A",
    "half_a_story": "B",
    "timeout_only_until_the_first_word": "A",
}
"""The half of each, alternating within a kind; settled before anything was tuned."""

LATER: tuple[str, ...] = (
    "published_by_both",
    "emptied_after_the_write",
    "waits_for_the_messenger",
    "trip_half_undone",
    "mail_held_in_a_pause",
    "first_to_end_has_failed",
    "spends_before_the_budget",
)
"""Written later, by somebody who had not seen the search. It missed all but the last two, and was mended by what they have in common
with others; no number of it was tuned on them."""

LATER_STILL: tuple[str, ...] = (
    "summed_up_while_it_went_on",
    "turnstile_given_back_by_who_never_passed",
    "gate_shut_by_a_rate_limit",
    "answered_with_an_apology",
    "stopped_and_continued",
)
"""Of a second set of programs that was written without a look at the search, and of some against it, those with something that it
lacked: it missed the third and the fourth, found the second late and the first not at its least, and blamed the twin of the fifth."""

HALF_OF: dict[str, Literal["A", "B"]] = HALVES | dict.fromkeys((*LATER, *LATER_STILL), "B")
"""The half in which each is counted."""

TABLE: tuple[Planted, ...] = tuple(ZOO[name] for name in HALF_OF)
"""All planted bugs, in the order of the table."""
