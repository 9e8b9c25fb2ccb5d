"""An orchestrator with the blocking client: it plans, runs specialists in a thread pool, and puts their answers together."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from anthropic import Anthropic

MODEL = "claude-sonnet-4-6"
PLANNER = """You are an orchestrator. Split the task into subtasks, as JSON:
{"subtasks": [{"specialist": ..., "task": ...}]}"""
SPECIALIST = "You are a specialist for {specialist}. Do your subtask, and nothing else."
SYNTHESIZER = "You are a synthesizer. Combine the specialists' answers into one."


def orchestrate(task: str) -> str:
    """Do a task with as many specialists as it needs, all at once."""
    client = Anthropic(timeout=60, max_retries=2)
    subtasks = json.loads(ask(client, PLANNER, task))["subtasks"]
    with ThreadPoolExecutor(max_workers=len(subtasks)) as pool:
        answers = list(pool.map(lambda subtask: specialize(client, subtask), subtasks))
    return ask(client, SYNTHESIZER, "\n\n".join(answers))


def specialize(client: Anthropic, subtask: dict[str, str]) -> str:
    """Do one subtask."""
    answer = ask(client, SPECIALIST.format(**subtask), subtask["task"])
    return f"## {subtask['specialist']}\n{answer}"


def ask(client: Anthropic, system: str, prompt: str) -> str:
    """Ask the model, and wait."""
    message = client.messages.create(
        model=MODEL,
        max_tokens=1024,
        system=system,
        messages=[{"role": "user", "content": prompt}],
    )
    return "".join(block.text for block in message.content if block.type == "text")


if __name__ == "__main__":
    print(orchestrate(" ".join(sys.argv[1:])))
