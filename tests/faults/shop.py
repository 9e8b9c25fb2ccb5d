"""A program that refunds, and tries again when it does not hear of it."""

from __future__ import annotations

import subprocess

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


def refund_and_push(order: str) -> str:
    """Refund an order, and push the ledger."""
    told = refund(order, order)
    push = ["git", "push", "origin"]
    done = subprocess.run(push, capture_output=True, text=True)  # noqa: PLW1510 - a program does
    if done.returncode:
        done = subprocess.run(push, capture_output=True, text=True, check=True)
    return told + done.stdout
