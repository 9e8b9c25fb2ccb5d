"""The commit of a run, as a store keeps it, so that a change of a metric can be traced to a commit."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_PATIENCE_WALL_S = 1.0
"""A git that takes longer is on a slow disk or in a vast repository, and not worth waiting for."""

_OF_HOOKS = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE"}
)
"""What git tells its hooks leads to the repository whose hook it is, and not to that of the folder."""


@cache
def commit_of(folder: Path) -> str:
    """The git commit that is checked out in a folder, asked for once a process.

    Files that git does not know are no difference: a store in the folder would make one of every run.

    Args:
        folder: Absolute, because it is remembered.

    Returns:
        The commit's hash, with `+` appended if files differ from it; "" outside of a repository, before the first
        commit, and without git.
    """
    import subprocess

    environment = {key: value for key, value in os.environ.items() if key not in _OF_HOOKS}
    try:
        done = subprocess.run(
            [  # noqa: S607 - the user's own git
                "git", "status", "--porcelain=v2", "--branch", "--untracked-files=no",
                "--ignore-submodules=dirty",
            ],
            cwd=folder,
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},  # looking gets in no other git's way
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_WALL_S,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return _commit(done.stdout.decode(errors="replace"))


def _commit(status: str) -> str:
    lines = status.splitlines()
    first = next((line for line in lines if line.startswith("# branch.oid ")), "")
    commit_id = first.removeprefix("# branch.oid ")
    if not commit_id or commit_id.startswith("("):  # "(initial)": there is no commit yet
        return ""
    is_changed = any(not line.startswith("#") for line in lines)
    return f"{commit_id}+" if is_changed else commit_id
