"""`python -m harness`, and the `harness` command."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    from harness.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
