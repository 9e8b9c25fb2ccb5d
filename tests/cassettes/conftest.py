"""A server on this machine that stands in for the real API, and programs that are recorded against it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from harness import wall
from harness.cassettes.writing import put_in_order
from harness.recording.recorder import Recorder
from harness.recording.seams import put_in

SCENARIO = """
scenario: desk
workload: {tasks: 1}
target: json:dumps
models:
  deep: {provider: anthropic, name: claude-sonnet-4-6, latency: {ttft_s: {uniform: {low: 0.05, high: 0.4}}, itl_s: 0.01}}
  four: {provider: openai, name: gpt-4o, latency: {ttft_s: {uniform: {low: 0.05, high: 0.4}}, itl_s: 0.01}}
agents:
  lead: {match: {model: "*"}, stub: answers:lead}
"""

ANSWERS = """
def lead(request):
    return f"answer number {request.call_in_run} of the lead, in some words"
"""


@pytest.fixture(scope="module")
def real_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that gives another answer, after another time, to each request."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "desk.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "answers.py").write_text(ANSWERS, encoding="utf-8")
    command = [sys.executable, "-m", "harness", "serve", "desk.yaml", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split(" at ")[1].split(";")[0]
        try:
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


@pytest.fixture
def record(real_api: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `harness record` for a program, by its text."""

    def recorded(
        program: str, *words: str, output: str = "out.yaml", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "program.py").write_text(program, encoding="utf-8")
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "harness",
                "record",
                "-o",
                output,
                *words,
                "--",
                sys.executable,
                "program.py",
            ],
            cwd=tmp_path,
            env=environment(real_api),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return recorded


@pytest.fixture
def here(
    real_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], AbstractContextManager[Path]]:
    """Records in this process; gives the cassette."""
    for name, value in environment(real_api).items():
        monkeypatch.setenv(name, value)

    @contextmanager
    def recorded() -> Iterator[Path]:
        path = tmp_path / "here.yaml"
        began_s = wall.elapsed_s()
        with put_in(Recorder(path, lambda: wall.elapsed_s() - began_s)):
            yield path
        put_in_order(path)

    return recorded


def environment(api: str) -> dict[str, str]:
    """The environment of a program that believes the server to be the real API."""
    return {
        **os.environ,
        "ANTHROPIC_BASE_URL": api,
        "OPENAI_BASE_URL": f"{api}/v1",
        "ANTHROPIC_API_KEY": "sk-ant-api03-a1B2c3D4e5F6a7B8",
        "OPENAI_API_KEY": "sk-proj-a1B2c3D4e5F6a7B8",
    }
