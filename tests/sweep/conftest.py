"""A small queue that sweeps are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.store import Store

QUEUE = """
scenario: small-queue
runs: 3
workload: {tasks: 6, arrivals: {poisson: {rate_per_s: 0.5}}}
providers: {anthropic: {concurrency: 1}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}, deep: {provider: anthropic, name: claude-sonnet-4-5}}
agents: {writer: {model: fast, output_tokens: 100}}
pattern: {single: {agent: writer}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario in a folder of its own, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    path = Path("queue.yaml")
    path.write_text(QUEUE, encoding="utf-8")
    return path


@pytest.fixture
def store() -> Store:
    return Store("runs.duckdb")
