"""Another version of the same files: a commit, checked out temporarily beside the working tree.

It runs in a process of its own, with its own folder on the path, so that the user's code is compared as well as the
scenario: `harness gate --base main`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import HarnessError
from harness.gate.samples import Samples, stored
from harness.spans import Table
from harness.store import Store, queries

_EXIT_RAN = (0, 1)
"""Exit codes of `harness simulate` that leave runs behind: all budgets hold, or one does not."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository that a file belongs to.

    Args:
        root: Its folder.
    """

    root: Path

    @classmethod
    def of(cls, file: Path) -> Repository:
        """Find it.

        Raises:
            HarnessError: The file is in none, or there is no git.
        """
        folder = file.absolute().parent
        if not folder.is_dir():
            raise HarnessError(f"{file}: the file does not exist")
        done = _git(folder, "rev-parse", "--show-toplevel")
        if done.returncode != 0:
            raise HarnessError(
                f"{file} is in no git repository, so there is no other version of it\n"
                "  How to fix: compare with a baseline file: harness baseline save, harness gate --baseline"
            )
        return cls(Path(done.stdout.strip()))

    def commit(self, ref: str) -> str:
        """The commit that a branch, a tag or a hash names.

        Raises:
            HarnessError: There is none.
        """
        done = _git(
            self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
        )
        if done.returncode != 0:
            raise HarnessError(
                f"there is no commit {ref!r} in {self.root}\n"
                "  How to fix: fetch it first; in CI, check out with the whole history (fetch-depth: 0)"
            )
        return done.stdout.strip()

    def last_change_of(self, file: Path) -> str:
        """The commit that last changed a file; "" if it is in no commit."""
        done = _git(self.root, "log", "-1", "--format=%H", "--", str(file.absolute()))
        return done.stdout.strip() if done.returncode == 0 else ""

    @contextmanager
    def checked_out(self, commit: str) -> Iterator[Path]:
        """Context manager for a temporary folder with the files of a commit.

        Raises:
            HarnessError: Git cannot make it.
        """
        with tempfile.TemporaryDirectory(prefix="harness-gate-") as place:
            folder = Path(place, "base")
            done = _git(self.root, "worktree", "add", "--detach", "--quiet", str(folder), commit)
            if done.returncode != 0:
                raise HarnessError(f"git cannot check out {commit[:12]}: {done.stderr.strip()}")
            try:
                yield folder
            finally:
                _git(self.root, "worktree", "remove", "--force", str(folder))


@dataclass(slots=True)
class CheckoutSide:
    """A side that executes runs of one version of the files when it is asked for more seeds.

    Args:
        root: The folder of this version's repository.
        folder: Where to run, from there; the user's own modules are found there.
        file: The scenario, from `folder`.
        label: What people call this side.
    """

    root: Path
    folder: Path
    file: Path
    label: str
    spans: dict[int, Table] = field(default_factory=dict)
    """Of each run, by seed; for explanations."""
    warmup_tasks: int = 0

    def __call__(self, seeds: Sequence[int]) -> Samples:
        """Execute one run for each of some successive seeds.

        Raises:
            HarnessError: This version of the scenario is wrong, or its program fails.
        """
        assert list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))), "seeds come in a row"
        if not Path(self.root, self.folder, self.file).is_file():
            raise HarnessError(f"{self.label}: there is no scenario {self.file}")
        with tempfile.TemporaryDirectory(prefix="harness-gate-") as place:
            store = Store(Path(place, "runs.duckdb"))
            self._simulate(seeds, store)
            rows = queries.runs(store)
            run_ids = [row["run_id"] for row in rows]
            tables = queries.span_tables(store, run_ids)
            for row in rows:
                self.spans[row["seed"]] = tables[row["run_id"]]
                self.warmup_tasks = row["warmup_tasks"]
            return stored(store, run_ids, label=self.label)

    def _simulate(self, seeds: Sequence[int], store: Store) -> None:
        command = [
            sys.executable, "-m", "harness", "simulate", str(self.file), "--quiet",
            "--seed", str(seeds[0]), "--runs", str(len(seeds)), "--store", str(store.path),
        ]  # fmt: skip
        # A project that is installed in place would be found in the working tree, whichever version is asked for.
        places = [str(self.root), str(self.root / "src"), os.environ.get("PYTHONPATH")]
        path = os.pathsep.join(filter(None, places))
        done = subprocess.run(  # noqa: S603 - this Python, and words without a shell
            command,
            cwd=Path(self.root, self.folder),
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in _EXIT_RAN:
            raise HarnessError(f"{self.label}: {done.stderr.strip() or 'the simulation failed'}")


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # A hook of git's own is told which repository and index it serves; another work tree has its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(  # noqa: S603 - words without a shell
            ["git", *words],  # noqa: S607 - the user's own git
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise HarnessError("there is no git on this machine, and --base needs it") from None
