"""Exit codes of the command line; 129, 130 and 143 also come from signals, in `process.py`."""

from typing import Final

EXIT_PASS: Final = 0
EXIT_FAILED: Final = 1
"""A budget or the gate failed."""
EXIT_USAGE: Final = 2
"""Usage, a wrong file, or output that cannot be written."""
EXIT_BUG: Final = 70
"""An error of harness itself."""
EXIT_INTERRUPTED: Final = 130
EXIT_BROKEN_PIPE: Final = 141
"""128 and the number of the signal, as shells have it."""
