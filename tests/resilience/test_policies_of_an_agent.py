"""The policies of one agent over those of all."""

from __future__ import annotations

from harness.resilience import Policies, Retry


def test_what_an_agent_says_stands_and_the_rest_is_the_default_of_all() -> None:
    default = Policies(timeout_s=60, max_in_flight=5, retry=Retry(attempts=3))
    own = Policies(timeout_s=10, fallback="other")
    assert own.over(default) == Policies(
        timeout_s=10, max_in_flight=5, retry=Retry(attempts=3), fallback="other"
    )


def test_retry_of_an_agent_replaces_the_default_one_as_a_whole() -> None:
    default = Policies(retry=Retry(attempts=9, first_wait_s=4, jitter="none"))
    assert Policies(retry=Retry(attempts=2)).over(default).retry == Retry(attempts=2)


def test_nothing_is_done_when_nothing_is_said() -> None:
    assert Policies().over(Policies()) == Policies(
        timeout_s=None, deadline_s=None, max_in_flight=None, retry=None, fallback=None
    )
