"""From a recorded interaction to a reply that takes the time that it took."""

from __future__ import annotations

from typing import Literal

from harness.cassettes import RecordedResponse
from harness.cassettes.cassette import PROFILE
from harness.cassettes.said import Said, error_in, said_in
from harness.models.api import Recording, Reply, ToolCall
from harness.provider.latency import RecordedLatency
from harness.units import Usage

ReplayLatency = Literal["recorded", "profile", "none"]
"""How long a replayed response takes: as it took, as the model's profile says, or no time."""


def reply_of(response: RecordedResponse, latency: ReplayLatency, *, as_bytes: bool = True) -> Reply:
    """What a recorded response says, to be replayed.

    Args:
        response: The response.
        latency: How long it takes.
        as_bytes: Whether its bytes are sent as they came; else an API writes what it says.
    """
    said = said_in(response) or Said()
    usage = Usage(
        said.input_tokens, said.output_tokens or 0, said.cache_read_tokens, said.cache_write_tokens
    )
    found, source = _latency(response, latency)
    return Reply(
        said.text,
        tuple(ToolCall(name, arguments) for name, arguments in said.tool_calls),
        said.output_tokens,
        truncated=said.is_cut,
        thinking=said.thinking,
        refused=said.is_refusal,
        as_is=True,
        body=response.body,
        recorded=Recording(response, found, source, usage, tuple(said.tool_ids), as_bytes),
    )


def _latency(
    response: RecordedResponse, latency: ReplayLatency
) -> tuple[RecordedLatency | None, str]:
    """How long a response takes, and what that is known from."""
    if latency == "none":
        return RecordedLatency(first_s=0.0, total_s=0.0), "none"
    if latency == "profile":
        return None, PROFILE
    timing, stated = response.timing, response.stated_s
    if timing is not None:
        found = RecordedLatency(first_s=timing.first_s, total_s=timing.end_s)
        return found, response.latency_source
    if stated is None:
        return None, PROFILE
    source, seconds = stated
    if response.is_stream:  # a server sends its headers with the first token
        return RecordedLatency(first_s=seconds), source
    return RecordedLatency(total_s=seconds), source


def failure_of(recorded: RecordedResponse) -> tuple[str, int | None, str, float | None] | None:
    """Why an attempt failed when it was recorded: kind, status, message, seconds to wait; None if it did not."""
    error = error_in(recorded)
    if error is not None:
        return error.kind, error.status, error.message, error.retry_after_s
    if recorded.timing is not None and not recorded.timing.complete:
        return "connection_error", None, "", None
    return None
