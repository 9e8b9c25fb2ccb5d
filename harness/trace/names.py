"""Attribute names of traces: OpenTelemetry's where defined, our own otherwise.

The names under `gen_ai.` are those of the semantic conventions for generative AI as of September 2026. All of them
are in development and have changed before (they now live in a repository of their own,
`open-telemetry/semantic-conventions-genai`), so they are written down here and nowhere else, and taken from no package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.spans import AGENT, ATTEMPT, TASK, TOOL

SPEC_DATE: Final = "2026-09"
"""When the names under `gen_ai.` were looked up."""

# -- OpenTelemetry, stable ----------------------------------------------------------------------------------------------

SERVICE_NAME: Final = "service.name"
ERROR_TYPE: Final = "error.type"
HTTP_STATUS: Final = "http.response.status_code"

# -- our own, on the resource -------------------------------------------------------------------------------------------

SIM: Final = "harness.sim"
SCENARIO: Final = "harness.scenario"
SCENARIO_HASH: Final = "harness.scenario_hash"
SEED: Final = "harness.seed"
RUN_ID: Final = "harness.run_id"
RUN_STATUS: Final = "harness.run_status"
HARNESS_VERSION: Final = "harness.version"
COMMIT_ID: Final = "harness.commit_id"

# -- our own, on spans --------------------------------------------------------------------------------------------------

SPAN_ID: Final = "harness.span_id"
TASK_NUMBER: Final = "harness.task"
KIND: Final = "harness.kind"
NAME: Final = "harness.name"
AGENT_NAME: Final = "harness.agent"
MODEL: Final = "harness.model"
STATUS: Final = "harness.status"
FAULT: Final = "harness.fault"
CUSTOMER: Final = "harness.customer"
PRIORITY: Final = "harness.priority"
ORDINAL: Final = "harness.ordinal"
LIMITED_BY: Final = "harness.limited_by"
REPEATS: Final = "harness.repeats"
COST_USD: Final = "harness.cost_usd"
QUEUE_WAIT_S: Final = "harness.queue_wait_s"
RETRY_AFTER_S: Final = "harness.retry_after_s"
CORRECT: Final = "harness.correct"
SLACK_S: Final = "harness.slack_s"
CRITICAL: Final = "harness.critical"

# -- events -------------------------------------------------------------------------------------------------------------

SERVICE_BEGINS: Final = "service begins"
FIRST_TOKEN: Final = "first token"  # noqa: S105 - no password
DETAIL: Final = "harness.detail"

SIMULATED: Final = "simulated"
"""The provider of every request, so that simulated cost is not mistaken for cost at Anthropic or OpenAI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Attribute names of one convention; "" where it has none."""

    kind: str
    """The attribute that says what a span is."""
    kinds: Mapping[str, str]
    """Its value by kind of span; a kind that is absent has none."""
    fixed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Further attributes by kind of span, which are always the same."""
    workflow: str
    """The scenario, of a task."""
    agent: str
    models: tuple[str, ...]
    """Of attempts."""
    tool: str
    prompt_tokens: str
    """All that was read, cached or not."""
    output_tokens: str
    total_tokens: str
    cache_read_tokens: str
    cache_write_tokens: str
    ttft_s: str
    """From the arrival of an attempt to its first token [s]."""
    cost_usd: str


GEN_AI: Final = Vocabulary(
    kind="gen_ai.operation.name",
    # The request at a provider is the attempt. A call is ours, and has no operation: with one, its tokens would be
    # counted twice.
    kinds={TASK: "invoke_workflow", AGENT: "invoke_agent", ATTEMPT: "chat", TOOL: "execute_tool"},
    fixed={ATTEMPT: {"gen_ai.provider.name": SIMULATED}, TOOL: {"gen_ai.tool.type": "function"}},
    workflow="gen_ai.workflow.name",
    agent="gen_ai.agent.name",
    models=("gen_ai.request.model", "gen_ai.response.model"),
    tool="gen_ai.tool.name",
    prompt_tokens="gen_ai.usage.input_tokens",
    output_tokens="gen_ai.usage.output_tokens",
    total_tokens="",
    cache_read_tokens="gen_ai.usage.cache_read.input_tokens",
    cache_write_tokens="gen_ai.usage.cache_creation.input_tokens",
    ttft_s="gen_ai.response.time_to_first_chunk",
    cost_usd="",
)
