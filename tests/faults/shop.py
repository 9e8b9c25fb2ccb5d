"""A program that refunds, and tries again when it does not hear of it."""

from __future__ import annotations

from harness.agents import ToolError


def refund(order: str, key: str) -> str:
    """Call the payment service."""
    raise RuntimeError(f"{order} {key}: replaced in tests")


def refund_with_retries(order: str) -> str:
    """Refund an order."""
    for _ in range(3):
        try:
            return refund(order, "key 7")
        except ToolError:
            continue
    return "gave up"


def ledger(line: str) -> str:
    """Write a line into a real ledger."""
    return "written" if line else "nothing"


def write_with_retries() -> str:
    """Write until it is told that the line is written."""
    while True:
        try:
            return ledger("order 7")
        except ToolError:
            continue
