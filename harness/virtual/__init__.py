"""A virtual process: what a user's program sees instead of clocks, entropy, threads, processes and sockets.

Read `world.py` first: it opens a world around a program and closes it again. `patching.py` puts the stand-ins where names of the
originals are kept, each other file stands in for one part of a process, and `audit.py` refuses what none of them caught.
"""

from __future__ import annotations

from harness.private_names import STANDARD_LIBRARY, check_private_names

check_private_names(STANDARD_LIBRARY)
