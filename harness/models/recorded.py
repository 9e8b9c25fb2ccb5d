"""From a recorded interaction to a reply that takes the time that it took."""

from __future__ import annotations

from typing import Literal

from harness.cassettes import RecordedResponse
from harness.cassettes.cassette import PROFILE
from harness.cassettes.said import Said, said_in
from harness.models.api import Recording, Reply, ToolCall
from harness.provider.latency import Latency, RecordedLatency
from harness.units import Usage

ReplayLatency = Literal["recorded", "profile", "none"]
"""How long a replayed response takes: as it took, as the model's profile says, or no time."""


def reply_of(
    response: RecordedResponse, latency: ReplayLatency, profile: Latency | RecordedLatency
) -> Reply:
    """What a recorded response says, to be replayed.

    Args:
        response: The response.
        latency: How long it takes.
        profile: The latency profile of its model, for what the recording does not know.
    """
    said = said_in(response) or Said()
    usage = Usage(
        said.input_tokens, said.output_tokens or 0, said.cache_read_tokens, said.cache_write_tokens
    )
    assert isinstance(profile, Latency), "a model has a profile before it has a recording"
    found, source = _latency(response, latency, profile)
    return Reply(
        said.text,
        tuple(ToolCall(name, arguments) for name, arguments in said.tool_calls),
        said.output_tokens,
        truncated=said.is_cut,
        thinking=said.thinking,
        refused=said.is_refusal,
        as_is=True,
        body=response.body,
        recorded=Recording(response, found, source, usage, tuple(said.tool_ids)),
    )


def _latency(
    response: RecordedResponse, latency: ReplayLatency, profile: Latency
) -> tuple[RecordedLatency | None, str]:
    if latency == "none":
        return RecordedLatency(profile=profile, first_s=0.0, total_s=0.0), "none"
    if latency == "profile":
        return None, PROFILE
    timing, stated = response.timing, response.stated_s
    if timing is not None:
        return (
            RecordedLatency(profile=profile, first_s=timing.first_s, total_s=timing.end_s),
            response.latency_source,
        )
    if stated is None:
        return None, PROFILE
    source, seconds = stated
    if response.is_stream:  # a server sends its headers with the first token
        return RecordedLatency(profile=profile, first_s=seconds), source
    return RecordedLatency(profile=profile, total_s=seconds), source
