"""`python -m harness`, and the `harness` command."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    from harness.cli import run
    from harness.cli.process import forget_output

    code = run(sys.argv[1:])
    forget_output()
    sys.exit(code)


if __name__ == "__main__":
    main()
