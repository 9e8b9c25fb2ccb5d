"""CPU of the commands that people type all day, children included.

Targets: `harness --help` 0.2 s, `import harness` 0.1 s, `harness simulate scenarios/code_review.yaml` 1.5 s.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile

ROUNDS = 3


def main() -> None:
    """Measure each, best of three."""
    nothing_s = _cpu_s("-c", "pass")
    with tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/runs.duckdb"
        for name, target_s, arguments in (
            ("harness --help", 0.2, ("-m", "harness", "--help")),
            ("import harness", 0.1, ("-c", "import harness")),
            (
                "harness simulate scenarios/code_review.yaml",
                1.5,
                ("-m", "harness", "simulate", "scenarios/code_review.yaml", "--store", store),
            ),
        ):
            print(
                f"{name}: {_cpu_s(*arguments):.2f} s of CPU (target: at most {target_s}; python itself {nothing_s:.2f})"
            )


def _cpu_s(*arguments: str) -> float:
    measured = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        measured.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(measured)


if __name__ == "__main__":
    main()
