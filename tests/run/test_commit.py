"""The commit that a run was made at."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.run.commit import commit_of
from harness.sim import Sim
from harness.sim.persist import keep
from harness.store import Store, queries


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    commit_of.cache_clear()
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "a.yaml").write_text("scenario: a\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_commit_is_that_of_the_folder_above_which_there_is_a_repository(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert commit_of(repository) == commit_of(repository / "scenarios") == head


@pytest.mark.parametrize("staged", [False, True])
def test_changed_file_is_told_by_a_sign(repository: Path, staged: bool) -> None:
    (repository / "scenarios" / "a.yaml").write_text("scenario: b\n")
    if staged:
        git(repository, "add", ".")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD") + "+"


def test_file_that_git_does_not_know_is_no_change(repository: Path) -> None:
    (repository / "harness.duckdb").touch()
    assert not commit_of(repository).endswith("+")


def test_detached_commit_is_a_commit(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


def test_hook_of_another_repository_does_not_lead_astray(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "--quiet")
    head = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert commit_of(repository) == head


def test_git_is_asked_once(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = commit_of(repository)
    monkeypatch.setattr(subprocess, "run", None)
    assert commit_of(repository) == head


def test_folder_without_a_commit_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit_of(tmp_path / "gone") == ""
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "--quiet")
    assert commit_of(tmp_path / "new") == ""
    (tmp_path / "outside").mkdir()
    assert commit_of(tmp_path / "outside") == ""
    (tmp_path / "later").mkdir()
    monkeypatch.setenv("PATH", "")
    assert commit_of(tmp_path / "later") == ""


def test_runs_of_a_test_get_the_commit_of_its_folder(repository: Path, tmp_path: Path) -> None:
    async def program() -> None:
        return None

    simulation = Sim(1)
    simulation.run(program())
    store = Store(tmp_path / "runs.duckdb")
    keep(simulation, store.path, "test_it.py::test_it", repository / "scenarios")
    (run,) = queries.runs(store)
    assert run["commit_id"] == git(repository, "rev-parse", "HEAD")
