"""The machine below: streams that are closed, full or not UTF-8, and files that are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.store import Store, queries

Cli = Callable[..., CompletedProcess[str]]

PATIENCE_S = 60


def shell(command: str, **environment: str) -> CompletedProcess[bytes]:
    """Do what a line of the shell says, in which `harness` is this one."""
    return subprocess.run(
        f'harness() {{ {sys.executable} -m harness "$@"; }}; {command}',
        shell=True,
        executable="/bin/bash",
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize(
    ("encoding", "command"),
    [
        ("cp1252", "simulate scenario.yaml"),
        ("cp1252", "show"),
        ("cp1252", "schema --reference"),
        ("ascii", "simulate scenario.yaml"),
        ("utf-16", "simulate scenario.yaml"),
    ],
)
def test_output_in_another_encoding_shows_what_that_has_not(
    harness: Cli, encoding: str, command: str
) -> None:
    text = Path("scenario.yaml").read_text() + "description: 'Größe → 模型'\n"
    Path("scenario.yaml").write_text(text, encoding="utf-8")
    assert harness("simulate", "scenario.yaml", "--quiet").returncode == 0
    done = shell(f"harness {command}", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(encoding)
    if command.startswith("simulate"):
        assert {"cp1252": "Größe \\u2192 \\u6a21", "utf-16": "Größe → 模型"}.get(
            encoding, "\\u2192"
        ) in shown


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_as_if_nobody_reads_them(closed: str) -> None:
    done = shell(f"harness simulate scenario.yaml {closed}")
    assert done.returncode == 0
    assert b"Traceback" not in done.stdout + done.stderr
    assert len(queries.runs(Store("harness.duckdb"))) == 1
    assert shell(f"harness simulate nowhere.yaml {closed}").returncode == 2


@pytest.mark.parametrize(
    "command",
    [
        "simulate scenario.yaml",
        "simulate scenario.yaml --format json",
        "show",
        "schema",
        "trace",
        "--help",
    ],
)
def test_full_output_is_one_message(harness: Cli, command: str) -> None:
    assert harness("simulate", "scenario.yaml", "--quiet").returncode == 0
    done = shell(f"harness {command} > /dev/full")
    assert done.returncode == 2
    assert done.stderr == b"error: cannot write to the standard output: No space left on device\n"


def test_full_error_output_leaves_the_exit_code() -> None:
    assert shell("harness simulate nowhere.yaml 2> /dev/full").returncode == 2
    assert shell("harness nonsense 2> /dev/full").returncode == 2
    assert shell("harness simulate scenario.yaml > /dev/full 2>&1").returncode == 2


@pytest.mark.parametrize("command", ["simulate scenario.yaml", "runs", "report"])
@pytest.mark.parametrize("name", ["$'n\\xff.duckdb'", "$'d\\xff/n.duckdb'"])
def test_name_of_a_store_that_is_not_utf_8(command: str, name: str) -> None:
    done = shell(f"harness {command} --store {name}")
    assert done.returncode == 2
    assert b"not UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["scenario.yaml"]


def test_folder_that_is_not_utf_8_is_told_of_a_store_in_it() -> None:
    done = shell(
        "mkdir $'d\\xff' && cd $'d\\xff' && cp ../scenario.yaml . && harness simulate scenario.yaml"
    )
    assert done.returncode == 2
    assert b"not UTF-8" in done.stderr


@pytest.mark.parametrize("command", ["simulate scenario.yaml", "runs"])
@pytest.mark.parametrize(
    "make",
    ["mkfifo it", "ln -s /dev/null it", "ln -s /dev/zero it", "mkfifo there; ln -s there it"],
)
def test_store_that_is_no_file(command: str, make: str) -> None:
    done = shell(f"{make}; harness {command} --store it")
    assert done.returncode == 2
    assert b"is neither a file nor a link to one" in done.stderr


def test_link_to_a_store_that_is_not_there_yet() -> None:
    Path("link.duckdb").symlink_to("elsewhere/store.duckdb")
    assert shell("harness simulate scenario.yaml --quiet --store link.duckdb").returncode == 0
    assert len(queries.runs(Store("elsewhere/store.duckdb"))) == 1


# -- values on the command line ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("agents.writr.model=fast", "there is no key agents.writr; did you mean 'writer'?"),
        ("agents.writr.stub=a.yaml", "there is no key agents.writr; did you mean 'writer'?"),
        ("agents.zzz.output_tokens=5", "there is no key agents.zzz; known are writer, editor"),
        ("models.fst.latency.ttft_s=1", "there is no key models.fst; did you mean 'fast'?"),
        ("tools.serch.latency_s=1", "there is no key tools.serch; did you mean 'search'?"),
        (
            "providers.antropic.concurrency=1",
            "there is no key providers.antropic; did you mean 'anthropic'?",
        ),
    ],
)
def test_change_of_what_is_not_there_is_an_error(harness: Cli, change: str, message: str) -> None:
    done = harness("simulate", "scenario.yaml", "--set", change)
    assert done.returncode == 2
    assert message in done.stderr
    assert "To add one, give all of it: --set '" in done.stderr
    assert not Path("harness.duckdb").exists()


@pytest.mark.parametrize(
    "changes",
    [
        ["agents.reader={model: fast}"],
        ["agents.reader={model: fast}", "agents.reader.output_tokens=5"],
        ["agents.reader.model=fast", "pattern={single: {agent: reader}}", "faults=[]"],
        ["tools.find={latency_s: 2}"],
        ["policies.agents.writer.timeout_s=3"],
        ["budgets.latency_s_p95.below=500"],
        ["providers.anthropic.limits.requests_per_min=60"],
        ["workload.arrivals={closed: {users: 1000000}}"],
    ],
)
def test_change_of_what_may_be_new_is_none(harness: Cli, changes: list[str]) -> None:
    words = [word for change in changes for word in ("--set", change)]
    done = harness("simulate", "scenario.yaml", *words, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("users", ["1_000_001", "1000000000000"])
def test_users_are_bounded(harness: Cli, users: str) -> None:
    done = harness(
        "simulate", "scenario.yaml", "--set", f"workload.arrivals={{closed: {{users: {users}}}}}"
    )
    assert done.returncode == 2
    assert "workload.arrivals.closed.users: must be less than or equal to 1000000" in done.stderr


@pytest.mark.parametrize(
    ("seed", "code"), [(0, 0), (10**15, 0), (10**15 + 1, 2), (2**62, 2), (-1, 2)]
)
def test_seed_has_one_range(harness: Cli, seed: int, code: int) -> None:
    for words in (("--seed", str(seed)), ("--set", f"seed={seed}")):
        done = harness("simulate", "scenario.yaml", *words, "--format", "json")
        assert done.returncode == code
        if code == 0:
            assert json.loads(done.stdout)["seed"] == seed
