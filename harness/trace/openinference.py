"""OpenInference attribute names, which Phoenix reads; looked up in September 2026."""

from __future__ import annotations

from typing import Final

from harness.spans import AGENT, ATTEMPT, CALL, TASK, TOOL, WAIT
from harness.trace.names import SIMULATED, Vocabulary

OPEN_INFERENCE: Final = Vocabulary(
    kind="openinference.span.kind",
    kinds={
        TASK: "CHAIN",
        AGENT: "AGENT",
        CALL: "CHAIN",
        ATTEMPT: "LLM",
        TOOL: "TOOL",
        WAIT: "CHAIN",
    },
    fixed={ATTEMPT: {"llm.system": SIMULATED, "llm.provider": SIMULATED}},
    workflow="",
    agent="agent.name",
    models=("llm.model_name",),
    tool="tool.name",
    prompt_tokens="llm.token_count.prompt",
    output_tokens="llm.token_count.completion",
    total_tokens="llm.token_count.total",
    cache_read_tokens="llm.token_count.prompt_details.cache_read",
    cache_write_tokens="llm.token_count.prompt_details.cache_write",
    ttft_s="",
    cost_usd="llm.cost.total",
)
