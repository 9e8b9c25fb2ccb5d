"""Run the benchmarks: all, or those named, each in a process of its own so that none pays for another's memory."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "calls",
    "policies",
    "wire",
    "growth",
    "teams",
    "sleepers",
    "waiters",
    "limiter",
    "store",
    "traces",
    "exchange",
    "cassettes",
    "report",
    "startup",
    "gate_study",
    "reasons",
    "threads",
    "sweep",
    "explore",
    "explore_speed",
)


def main() -> int:
    """Run them one after another; fails if one of them could not be measured."""
    wanted = sys.argv[1:] or NAMES
    failed = 0
    for name in wanted:
        print(f"\n== {name}", flush=True)
        failed += (
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
            != 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
