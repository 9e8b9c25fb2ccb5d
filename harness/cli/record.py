"""`harness record`: a program against real APIs, written into a cassette."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from harness import wall
from harness.cassettes import load_cassette
from harness.cassettes.writing import put_in_order
from harness.cli.exit_codes import EXIT_FAILED
from harness.cli.process import say
from harness.errors import HarnessError
from harness.recording.bootstrap import Told, environment

_GRACE_WALL_S = 10.0
"""How long a program may take to end when it is interrupted [real s]."""


def record_command(
    command: Sequence[str],
    *,
    output: Path,
    mode: str,
    hosts: Sequence[str],
    keep_headers: Sequence[str],
    scrubbers: Sequence[str],
) -> int:
    """Run a command, and record what its Python processes say to HTTP APIs.

    Args:
        command: The command and its arguments.
        output: The cassette.
        mode: `all`: write it anew; `new`: add to it; `once`: only if there is none.
        hosts: Globs of the hosts that are recorded; none means all.
        keep_headers: Headers that are kept besides those that are harmless.
        scrubbers: Functions that take out secrets, as `module:function`.

    Returns:
        The command's exit code; 1 if it succeeded and nothing was recorded.
    """
    if shutil.which(command[0]) is None:
        raise HarnessError(
            f"there is no command {command[0]!r}\n  How to fix: harness record -- python main.py"
        )
    exists = output.exists()
    if exists and mode == "once":
        raise HarnessError(
            f"{output}: there is a cassette already\n  How to fix: --mode all records it anew, --mode new adds to it"
        )
    before = load_cassette(output).interactions if exists and mode == "new" else ()
    last_s = max(
        (
            one.response.timing.start_s + one.response.timing.end_s
            for one in before
            if one.response.timing
        ),
        default=-1.0,
    )
    aside = output.with_name(f".{output.name}.before")
    if exists and mode == "all":
        output.replace(aside)  # comes back if nothing is recorded
    told = Told(
        str(output.absolute()),
        wall.elapsed_s() - (last_s + 1.0),
        tuple(hosts),
        tuple(keep_headers),
        tuple(scrubbers),
    )
    try:
        return _finish(output, len(before), _run(command, told))
    finally:
        if not output.exists() and aside.exists():
            aside.replace(output)
        aside.unlink(missing_ok=True)


def _run(command: Sequence[str], told: Told) -> int:
    with subprocess.Popen(list(command), env=environment(told)) as process:  # noqa: S603 - what the user has typed
        try:
            code = process.wait()
        except (KeyboardInterrupt, SystemExit):
            _end(process)
            code = process.wait()
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a program that was interrupted as we were; ask it once more, then kill it."""
    asks: tuple[Callable[[], object], ...] = (lambda: None, process.terminate, process.kill)
    for ask in asks:
        ask()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_WALL_S)
            return


def _finish(output: Path, before: int, code: int) -> int:
    count = put_in_order(output) if output.exists() else 0
    if count == before and code:
        say(
            f"nothing was recorded: the command failed before an HTTP API had answered (exit code {code})\n"
            "  How to fix: let it work without `harness record` first"
        )
        return code
    if count == before:
        say(
            "nothing was recorded: no Python process of the command spoke to an HTTP API\n"
            "  How to fix: see that it runs with the environment of harness, without `python -I` or `-S`"
        )
        return EXIT_FAILED
    say(
        f"{output}: {count - before} interactions recorded"
        + (f", {count} in all" if before else "")
    )
    return code


__all__ = ["record_command"]
