"""What a scenario refers to is read before anything runs: stubs, functions, files of numbers, changes by `--set`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]
Check = Callable[..., None]
Told = Callable[[CompletedProcess[str]], list[str]]
Write = Callable[[str, str], str]

BASE = Path(__file__).with_name("base.yaml").read_text(encoding="utf-8")
FILE = "scenario.yaml"
STUB = "replies.yaml"


def with_stub(stub: str) -> str:
    """The base, where the writer says what a stub says."""
    return BASE.replace("writer: {model: fast,", f"writer: {{model: fast, stub: {stub},")


def with_arrivals(arrivals: str) -> str:
    return BASE.replace("{every_s: 5}", arrivals)


def with_size(size: str) -> str:
    return BASE.replace("input_tokens: 100", f"input_tokens: {size}")


# fmt: off
STUBS = {
    "empty": ("¦", "must be a mapping, not empty"),
    "only a comment": ("¦# replies\n", "must be a mapping, not empty"),
    "a list": ("¦- hello\n", "must be a mapping, not a list"),
    "no agents": ("agents:¦\n", "agents: must be a mapping, not empty"),
    "zero agents": ("agents: ¦{}\n", "agents: must hold at least 1, not an empty mapping"),
    "misspelt agents": ("¦¦agent: {writer: {reply: a}}\n", "the key 'agents' is missing", "unknown key 'agent'; did you mean 'agents'?"),
    "without the agent": ("agents:\n  ¦wirter: {reply: a}\n", "agents: there is nothing for agent 'writer'; did you mean 'wirter'?"),
    "without any like it": ("agents:\n  ¦boss: {reply: a}\n", "agents: there is nothing for agent 'writer'; known are boss"),
    "number for a reply": ("agents:\n  writer: {reply: ¦5}\n", "agents.writer.reply: must be a text, not 5"),
    "yes for a reply": ("agents:\n  writer: {reply: ¦yes}\n", "agents.writer.reply: must be a text, not True (in YAML, yes"),
    "wrong reply of another agent": ("agents:\n  writer: {reply: a}\n  other: {reply: ¦5}\n", "agents.other.reply: must be a text, not 5"),
    "text for an agent": ("agents:\n  writer: ¦hello\n", "agents.writer: must be a mapping, not 'hello'"),
    "nothing for an agent": ("agents:\n  writer: ¦{}\n", "agents.writer: give exactly one of reply, replies, rules"),
    "two ways at once": ("agents:\n  writer: ¦{reply: a, replies: [b]}\n", "agents.writer: give exactly one of reply, replies, rules"),
    "no replies": ("agents:\n  writer: {replies: ¦[]}\n", "agents.writer.replies: must hold at least 1, not an empty list"),
    "text for replies": ("agents:\n  writer: {replies: ¦hello}\n", "agents.writer.replies: must be a list, not 'hello'"),
    "misspelt text": ("agents:\n  writer: {replies: [a, {¦txt: a}]}\n", "agents.writer.replies[1]: unknown key 'txt'; did you mean 'text'?"),
    "tool call by name alone": ("agents:\n  writer: {replies: [{tool_calls: [¦search]}]}\n", "replies[0].tool_calls[0]: must be a mapping, not 'search'"),
    "tool call without a tool": ("agents:\n  writer: {replies: [{tool_calls: [¦{arguments: {}}]}]}\n", "tool_calls[0]: the key 'tool' is missing"),
    "arguments in a list": ("agents:\n  writer: {replies: [{tool_calls: [{tool: search, arguments: ¦[1]}]}]}\n", "tool_calls[0].arguments: must be a mapping, not a list"),
    "rule without a reply": ("agents:\n  writer: {rules: [¦{prompt: a}]}\n", "agents.writer.rules[0]: the key 'reply' is missing"),
    "misspelt rule": ("agents:\n  writer: {rules: [{¦prompt_regexp: a, reply: b}]}\n", "rules[0]: unknown key 'prompt_regexp'; did you mean 'prompt_regex'?"),
    "bad regular expression": ("agents:\n  writer: {rules: [{prompt_regex: ¦'(', reply: b}]}\n", "rules[0].prompt_regex: must be a regular expression: missing )"),
    "huge regular expression": (f"agents:\n  writer: {{rules: [{{prompt_regex: ¦'{'(' * 5000}', reply: b}}]}}\n", "prompt_regex: must be a regular expression"),
    "impossible repetition": ("agents:\n  writer: {rules: [{prompt_regex: ¦'a{99999999999}', reply: b}]}\n", "prompt_regex: must be a regular expression: the repetition number is too large"),
    "misspelt switch": ("agents:\n  writer: {replies: [a], when_exhausted: ¦repeats}\n", "agents.writer.when_exhausted: must be 'error', 'repeat' or 'cycle', not 'repeats'"),
    "switch in quotes": ("agents:\n  writer: {replies: [a], allow_unused: ¦'true'}\n", "agents.writer.allow_unused: must be true or false, not 'true'"),
    "tab": ("agents:\n¦\twriter: {reply: a}\n", "this is not YAML: found character that cannot start any token; indent with spaces, not with tabs"),
    "twice the same agent": ("agents:\n  writer: {reply: a}\n  ¦writer: {reply: b}\n", "the key 'writer' occurs twice; the first is on line 2"),
    "control character": ("¦agents: {writer: {reply: \x07}}\n", "unacceptable character #x0007"),
}
# fmt: on


@pytest.mark.parametrize(("marked", "says"), [(m, s) for m, *s in STUBS.values()], ids=STUBS)
def test_problem_of_a_stub_is_told_with_its_place_in_the_stub(
    harness: Cli, written: Write, check_refused: Check, marked: str, says: list[str]
) -> None:
    written(FILE, with_stub(STUB))
    written(STUB, marked)
    check_refused(harness("simulate", FILE), STUB, marked, *says)


# fmt: off
PATHS = {
    "missing": ("¦nowhere.yaml", "agents.writer.stub: there is no file nowhere.yaml"),
    "misspelt": ("¦repiles.yaml", "agents.writer.stub: there is no file repiles.yaml; did you mean 'replies.yaml'?"),
    "folder": ("¦folder.yaml", "agents.writer.stub: there is no file folder.yaml"),
    "home of nobody": ("¦~nobody-at-all/replies.yaml", "there is no file ~nobody-at-all/replies.yaml"),
    "long name": ("¦" + "a" * 300 + ".yaml", "there is no file aaa"),
    "another kind of file": ("¦replies.txt", "agents.writer.stub: 'replies.txt' is neither a file that ends in .yaml nor a function as module:function"),
    "nothing": ("¦''", "agents.writer.stub: '' is neither a file that ends in .yaml nor a function"),
    "list": ("¦[replies.yaml]", "agents.writer.stub: must be a text, not a list"),
    "module that does not exist": ("¦no_such_module:answer", "agents.writer.stub: 'no_such_module:answer' cannot be loaded: ModuleNotFoundError"),
    "function that does not exist": ("¦json:answer", "agents.writer.stub: 'json:answer' cannot be loaded: AttributeError"),
    "no function": ("¦json:__name__", "agents.writer.stub: 'json:__name__' is not a function, but 'json'"),
    "module that fails": ("¦failing_stub:answer", "agents.writer.stub: 'failing_stub:answer' cannot be loaded: ZeroDivisionError"),
    "module that leaves": ("¦leaving_stub:answer", "agents.writer.stub: 'leaving_stub:answer' cannot be loaded: SystemExit"),
    "module that is no Python": ("¦broken_stub:answer", "agents.writer.stub: 'broken_stub:answer' cannot be loaded: SyntaxError"),
}
# fmt: on


@pytest.mark.parametrize(("stub", "says"), PATHS.values(), ids=PATHS)
def test_stub_that_cannot_be_found_is_told_with_its_place(
    harness: Cli, written: Write, check_refused: Check, stub: str, says: str
) -> None:
    written(STUB, "agents: {writer: {reply: a}}\n")
    written("failing_stub.py", "1 / 0\n")
    written("leaving_stub.py", "raise SystemExit(0)\n")
    written("broken_stub.py", "def answer(:\n")
    Path("folder.yaml").mkdir()
    marked = written(FILE, with_stub(stub))
    check_refused(harness("simulate", FILE), FILE, marked, says)


# fmt: off
TRACE = "at,tokens\n0,100\n2,200\n"
DATA = {
    "trace that is missing": (with_arrivals("{trace: {file: ¦nowhere.csv, time: at}}"), "", "workload.arrivals.trace.file: there is no file nowhere.csv"),
    "trace that is misspelt": (with_arrivals("{trace: {file: ¦rwos.csv, time: at}}"), TRACE, "there is no file rwos.csv; did you mean 'rows.csv'?"),
    "trace that is a folder": (with_arrivals("{trace: {file: ¦., time: at}}"), TRACE, "there is no file ."),
    "trace in nobody's home": (with_arrivals("{trace: {file: ¦~nobody-at-all/rows.csv, time: at}}"), TRACE, "there is no file ~nobody-at-all/rows.csv"),
    "trace without the column of times": (with_arrivals("¦{trace: {file: rows.csv, time: when}}"), TRACE, "workload.arrivals: rows.csv:1: no column 'when'; the file has at, tokens"),
    "trace without the column of tokens": (with_arrivals("¦{trace: {file: rows.csv, time: at, input_tokens: size}}"), TRACE, "rows.csv:1: no column 'size'"),
    "trace with a bad time": (with_arrivals("¦{trace: {file: rows.csv, time: at}}"), "at\n0\nsoon\n", "rows.csv:3: 'soon' is neither seconds nor an ISO timestamp"),
    "trace with a time that is no number": (with_arrivals("¦{trace: {file: rows.csv, time: at}}"), "at\n0\nnan\n", "rows.csv:3: 'nan' is not a finite time"),
    "trace with a time out of all bounds": (with_arrivals("¦{trace: {file: rows.csv, time: at}}"), "at\n0\n1e308\n", "workload.arrivals: this leads to numbers that are too large"),
    "trace with a row that is cut": (with_arrivals("¦{trace: {file: rows.csv, time: at, input_tokens: tokens}}"), "at,tokens\n0,5\n1\n", "rows.csv:3: tokens None is not a whole number of tokens"),
    "trace with bad tokens": (with_arrivals("¦{trace: {file: rows.csv, time: at, input_tokens: tokens}}"), "at,tokens\n0,5.5\n", "rows.csv:2: tokens '5.5' is not a whole number of tokens"),
    "trace with negative tokens": (with_arrivals("¦{trace: {file: rows.csv, time: at, input_tokens: tokens}}"), "at,tokens\n0,-5\n", "rows.csv:2: tokens -5 is negative"),
    "trace that is empty": (with_arrivals("¦{trace: {file: rows.csv, time: at}}"), "", "rows.csv:1: no column 'at'; the file has none"),
    "trace with a heading alone": (with_arrivals("¦{trace: {file: rows.csv, time: at}}"), "at\n", "rows.csv: holds no rows"),
    "values that are missing": (with_size("{empirical: {file: ¦nowhere.csv}}"), "", "kinds[0].input_tokens.empirical.file: there is no file nowhere.csv"),
    "values that are none": (with_size("¦{empirical: {file: rows.csv}}"), "tokens\n5\nmany\n", "workload.kinds[0].input_tokens: rows.csv:3: 'many' is not a number"),
    "values below zero": (with_size("¦{empirical: {file: rows.csv}}"), "5\n-5\n", "rows.csv:2: -5 is not a finite number from 0 up"),
    "values with a heading alone": (with_size("¦{empirical: {file: rows.csv}}"), "tokens\n", "rows.csv: holds no values"),
    "values of a tool": (BASE.replace("{latency_s: 1}", "{latency_s: ¦{empirical: {file: rows.csv}}}"), "5\nx\n", "tools.search.latency_s: rows.csv:2: 'x' is not a number"),
    "values and a list of them": (with_size("{empirical: ¦{file: rows.csv, values: [1]}}"), "5\n", "input_tokens.empirical: give either values or file"),
}
# fmt: on


@pytest.mark.parametrize(("marked", "rows", "says"), DATA.values(), ids=DATA)
def test_problem_of_a_file_of_numbers_is_told_with_its_place(
    harness: Cli, written: Write, check_refused: Check, marked: str, rows: str, says: str
) -> None:
    written("rows.csv", rows)
    written(FILE, marked)
    check_refused(harness("simulate", FILE), FILE, marked, says)


def test_binary_trace_is_told_with_its_place(
    harness: Cli, written: Write, check_refused: Check
) -> None:
    Path("rows.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    marked = written(FILE, with_arrivals("¦{trace: {file: rows.csv, time: at}}"))
    check_refused(harness("simulate", FILE), FILE, marked, "rows.csv: the trace cannot be read")


def test_files_are_looked_up_from_the_folder_of_the_scenario(
    harness: Cli, written: Write, told: Told
) -> None:
    Path("deep").mkdir()
    written("deep/scenario.yaml", with_stub("repiles.yaml"))
    written("deep/replies.yaml", "agents: {writer: {reply: a}}\n")
    (problem,) = told(harness("validate", "deep/scenario.yaml"))
    assert problem.endswith("there is no file deep/repiles.yaml; did you mean 'replies.yaml'?")


# fmt: off
OVERRIDES = {
    "": "--set : write it as path=value, such as workload.tasks=10",
    "workload.tasks": "--set workload.tasks: write it as path=value",
    "=5": "--set =5: write it as path=value",
    "workload..tasks=5": "--set workload..tasks=5: write it as path=value",
    "[0]=5": "--set [0]=5: write it as path=value",
    "faults[0]agent=x": "--set faults[0]agent=x: write it as path=value",
    "faults[-1]=x": "--set faults[-1]=x: write it as path=value",
    "faults[" + "9" * 5000 + "]=x": "write it as path=value",
    "workload.tasks=ten": "--set workload.tasks=ten: workload.tasks: must be a whole number, not 'ten'",
    "workload.tasks='5'": "--set workload.tasks='5': workload.tasks: must be a whole number, not '5'; write it without quotes",
    "workload.taks=5": "--set workload.taks=5: workload: unknown key 'taks'; did you mean 'tasks'?",
    "workload=5": "--set workload=5: workload: must be a mapping, not 5",
    "workload.tasks.half=5": "--set workload.tasks.half=5: workload.tasks has no place for 'half'",
    "seed[0]=5": "--set seed[0]=5: seed has no place for 0",
    "faults[1]=x": "--set faults[1]=x: faults has no place for 1",
    "faults[7].overloaded.agent=x": "--set faults[7].overloaded.agent=x: there is no key faults[7]",
    "faults.overloaded=x": "--set faults.overloaded=x: faults has no place for 'overloaded'",
    "faults[0].overloaded.agent=writr": "faults[0].overloaded.agent: there is no 'writr' under agents; did you mean 'writer'?",
    "workload.arrivals={poisson: {rate_per_s: -1}}": "workload.arrivals.poisson.rate_per_s: must be greater than 0, not -1",
    "policies.agents.writer.timeout_s=0": "--set policies.agents.writer.timeout_s=0: policies.agents.writer.timeout_s: must be greater than 0",
    "workload.tasks=[1": "--set workload.tasks:2:1: this is not YAML",
    "workload.tasks=.nan": "--set workload.tasks:1:1: .nan is not a finite number",
    "description=&all [*all]": "--set description:1:1: an alias contains itself",
    "description=" + "[" * 60 + "]" * 60: "--set description:1:51: the file is nested more than 50 levels deep",
    ".".join("a" * 60) + "=5": "more than 50 levels",
    ".".join("a" * 100_000) + "=5": "more than 50 levels",
}
# fmt: on


@pytest.mark.parametrize(
    ("override", "says"), OVERRIDES.items(), ids=[text[:40] for text in OVERRIDES]
)
def test_problem_of_a_change_is_told_with_the_change(
    harness: Cli, written: Write, told: Told, override: str, says: str
) -> None:
    written(FILE, BASE)
    result = harness("simulate", FILE, "--set", override)
    assert (result.returncode, result.stdout) == (2, "")
    (problem,) = told(result)
    assert problem.startswith("--set ")
    assert says in problem
    assert not Path("runs.duckdb").exists()
