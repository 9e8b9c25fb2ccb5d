"""A code review by four specialists at once; one that raises is left out of the report."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime

from anthropic import Anthropic

MODEL = "claude-sonnet-4-6"


@dataclass
class Review:
    """What all reviewers said together."""

    approved: bool
    summary: str
    findings: dict[str, str]
    errors: dict[str, str]
    started_at: datetime = field(default_factory=datetime.now)
    duration_s: float = 0.0


class ReviewAgent:
    """Looks at one side of a change."""

    def __init__(self, focus: str) -> None:
        self.focus = focus
        self.client = Anthropic(timeout=60, max_retries=1)

    def review(self, code: str) -> str:
        """Return `OK` or what is wrong; raises what the client raises."""
        message = self.client.messages.create(
            model=MODEL,
            max_tokens=1024,
            system=f"You are a code reviewer for {self.focus}. Reply OK, or BLOCK and why.",
            messages=[{"role": "user", "content": code}],
        )
        text = message.content[0].text
        if not text.startswith(("OK", "BLOCK")):
            raise ValueError(f"unexpected review: {text[:40]}")
        return text


class CodeReviewOrchestrator:
    """Runs the reviewers at once, and sums up."""

    def __init__(self, agents: list[ReviewAgent]) -> None:
        self.agents = agents
        self.client = Anthropic(timeout=60, max_retries=1)

    def review(self, code: str) -> Review:
        """Review a change."""
        started_at = datetime.now()
        findings: dict[str, str] = {}
        errors: dict[str, str] = {}
        with ThreadPoolExecutor(max_workers=len(self.agents)) as executor:
            futures = {executor.submit(agent.review, code): agent for agent in self.agents}
            for future in as_completed(futures):
                focus = futures[future].focus
                try:
                    findings[focus] = future.result()
                    print(f"{focus}: done after {datetime.now() - started_at}")
                except Exception as error:
                    errors[focus] = repr(error)
                    print(f"{focus}: failed after {datetime.now() - started_at}")
        approved = not any(text.startswith("BLOCK") for text in findings.values())
        duration_s = (datetime.now() - started_at).total_seconds()
        return Review(approved, self._summarize(findings), findings, errors, started_at, duration_s)

    def _summarize(self, findings: dict[str, str]) -> str:
        message = self.client.messages.create(
            model=MODEL,
            max_tokens=1024,
            system="You are the lead reviewer. Sum up.",
            messages=[
                {"role": "user", "content": "\n".join(f"{k}: {v}" for k, v in findings.items())}
            ],
        )
        return message.content[0].text


def review_code(code: str) -> Review:
    """Let four specialists review a change."""
    focuses = ("security", "performance", "style", "tests")
    return CodeReviewOrchestrator([ReviewAgent(focus) for focus in focuses]).review(code)


if __name__ == "__main__":
    print(review_code(sys.stdin.read()).summary)
