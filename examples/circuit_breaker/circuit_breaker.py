"""A circuit breaker around an agent: after some failures it refuses calls, and tries again when a minute is over."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from anthropic import Anthropic

MODEL = "claude-haiku-4-5"


class CircuitState(Enum):
    """What the breaker does with a call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreakerOpenError(Exception):
    """A call was refused without being tried."""


class CircuitBreaker:
    """Stops calls to what keeps failing."""

    def __init__(self, failure_threshold: int = 3, recovery_timeout: int = 60) -> None:
        self.failure_threshold = failure_threshold
        self.recovery_timeout = timedelta(seconds=recovery_timeout)
        self.failure_count = 0
        self.last_failure_time: datetime | None = None
        self.state = CircuitState.CLOSED

    def call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function, or refuse."""
        if self.state == CircuitState.OPEN:
            if self._should_attempt_reset():
                self.state = CircuitState.HALF_OPEN
                print(f"[{datetime.now():%H:%M:%S}] circuit half open")
            else:
                raise CircuitBreakerOpenError("circuit breaker is open")
        try:
            result = func(*args, **kwargs)
        except Exception:
            self._on_failure()
            raise
        self._on_success()
        return result

    def _should_attempt_reset(self) -> bool:
        assert self.last_failure_time is not None
        return datetime.now() - self.last_failure_time >= self.recovery_timeout

    def _on_success(self) -> None:
        self.failure_count = 0
        self.state = CircuitState.CLOSED

    def _on_failure(self) -> None:
        self.failure_count += 1
        self.last_failure_time = datetime.now()
        if self.failure_count >= self.failure_threshold:
            self.state = CircuitState.OPEN
            print(f"[{datetime.now():%H:%M:%S}] circuit open")


class SupportAgent:
    """Answers customers through a breaker."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self.breaker = breaker
        self.client = Anthropic(max_retries=0)

    def handle(self, question: str) -> str:
        """Answer, or say why not."""
        try:
            return self.breaker.call(self._ask, question)
        except CircuitBreakerOpenError:
            return "We are busy, please try again later."

    def _ask(self, question: str) -> str:
        message = self.client.messages.create(
            model=MODEL,
            max_tokens=512,
            system="You are a support agent.",
            messages=[{"role": "user", "content": question}],
        )
        return message.content[0].text


if __name__ == "__main__":
    print(SupportAgent(CircuitBreaker()).handle(" ".join(sys.argv[1:])))
