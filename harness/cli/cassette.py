"""`harness cassette check`: whether cassettes can be read, hold no secrets, and how old they are."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

from harness import wall
from harness.cassettes import Cassette, CassetteError, load_cassette
from harness.cassettes.asked import model_asked
from harness.cassettes.said import said_in
from harness.cassettes.secrets import secrets_in
from harness.cassettes.stale import CACHE_KEY
from harness.cli.exit_codes import EXIT_FAILED, EXIT_PASS, EXIT_USAGE
from harness.cli.process import say
from harness.printable import printable

_SHOWN_MAX = 20


def check_cassettes(files: Sequence[Path], *, max_age_days: int | None) -> int:
    """Check cassettes, and tell what is in them.

    Args:
        files: The cassettes.
        max_age_days: How old a recording may be [days]; None means any age.

    Returns:
        The exit code: 2 if one cannot be read, 1 if one holds a secret or is too old.
    """
    code = EXIT_PASS
    for file in files:
        try:
            cassette = load_cassette(file)
        except CassetteError as error:
            say(printable(f"error: {error}"))
            code = EXIT_USAGE
            continue
        problems = [*_secrets(cassette), *_too_old(cassette, max_age_days)]
        for line in _told(cassette, file):
            print(printable(line))  # noqa: T201 - a command prints
        for problem in problems[:_SHOWN_MAX]:
            say(printable(f"error: {problem}"))
        if len(problems) > _SHOWN_MAX:
            say(f"... and {len(problems) - _SHOWN_MAX} more")
        if problems:
            code = max(code, EXIT_FAILED)
    return code


def _secrets(cassette: Cassette) -> Iterator[str]:
    for one in cassette.interactions:
        for place in secrets_in(one.request, one.response):
            yield (
                f"{cassette.path}: interaction {one.number}: there is a secret in {place}\n"
                "  How to fix: make the key invalid, and record it again with `harness record`, which takes secrets out"
            )


def _too_old(cassette: Cassette, max_age_days: int | None) -> Iterator[str]:
    age = _age_days(cassette)
    if max_age_days is not None and age is not None and age > max_age_days:
        yield f"{cassette.path}: the recording is {age} days old, and may be {max_age_days}\n  How to fix: record it again"


def _told(cassette: Cassette, file: Path) -> Iterator[str]:
    count = len(cassette.interactions)
    age = _age_days(cassette)
    yield (
        f"{cassette.path}: {count} {'interaction' if count == 1 else 'interactions'}, "
        + ("of unknown age" if age is None else f"{age} {'day' if age == 1 else 'days'} old")
    )
    models: Counter[str] = Counter()
    for one in cassette.interactions:
        said = said_in(one.response)
        asked = model_asked(one.request)
        if said is not None or asked:
            model = said.model if said is not None and said.model else asked
            models[model if model == asked or not asked else f"{asked} (answered by {model})"] += 1
    for model, calls in sorted(models.items()):
        yield f"  {model}: {calls} {'call' if calls == 1 else 'calls'}"
    sources = Counter(one.latency_source for one in cassette.interactions)
    if sources:
        yield "  times from: " + ", ".join(
            f"{source} ({n})" for source, n in sorted(sources.items())
        )
    unused = _unused(file)
    if unused:
        yield f"  unused in the last session of tests: interactions {', '.join(map(str, unused))}"


def _age_days(cassette: Cassette) -> int | None:
    """Days since the latest response, by the header `date`; None if none has one."""
    dates = []
    for one in cassette.interactions:
        try:
            date = parsedate_to_datetime(one.response.header("date"))
        except ValueError:
            continue
        dates.append(date if date.tzinfo else date.replace(tzinfo=datetime.UTC))
    if not dates:
        return None
    return max(0, (wall.now_utc().replace(tzinfo=datetime.UTC) - max(dates)).days)


def _unused(file: Path) -> list[int]:
    """What the last whole session of tests did not use, as pytest's cache has it."""
    for folder in (Path.cwd(), *file.absolute().parents):
        cache = folder / ".pytest_cache" / "v" / CACHE_KEY
        try:
            return list(json.loads(cache.read_text(encoding="utf-8")).get(str(file.absolute()), []))
        except (OSError, ValueError, AttributeError, TypeError):
            continue
    return []
