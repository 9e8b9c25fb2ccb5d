"""Programs drawn at random, as users write them, and the digests of their runs; also run as a program of its own.

Each is a module with state, an async function that asks two SDKs in random ways, and a scenario that names it as its target.
"""

from __future__ import annotations

import hashlib
import json
import random  # noqa: TID251 - the programs are drawn outside of any run
import sys
import textwrap
from pathlib import Path

from harness.run import processes, simulate, simulate_many
from harness.scenario import LoadedScenario, load_scenario
from harness.spans import as_json_lines

SEEDS = (1, 2)

HEAD = """
    import asyncio, functools, os, random, time, uuid
    from concurrent.futures import ThreadPoolExecutor, as_completed

    import anthropic, openai

    COUNTS, SEEN, HISTORY = {{}}, set(), []
    LIMIT = asyncio.Semaphore({places})
    POOL = ThreadPoolExecutor({workers})

    @functools.lru_cache
    def expensive(text):
        HISTORY.append(text)
        return f"{{text}}:{{len(HISTORY)}}"

    async def ask(who, text):
        COUNTS[who] = COUNTS.get(who, 0) + 1
        SEEN.add(text)
        try:
            if who == "planner":
                client = openai.AsyncOpenAI(max_retries={retries})
                done = await client.chat.completions.create(
                    model="gpt-5", messages=[{{"role": "system", "content": "You are the planner."}},
                                             {{"role": "user", "content": f"{{text}} {{COUNTS[who]}}"}}])
                return done.choices[0].message.content or ""
            client = anthropic.AsyncAnthropic(max_retries={retries})
            done = await client.messages.create(
                model="claude-haiku-4-5", max_tokens=60, system="You are the worker.",
                messages=[{{"role": "user", "content": f"{{text}} {{len(SEEN)}}"}}])
            return done.content[0].text
        except (anthropic.APIError, openai.APIError) as error:
            return type(error).__name__

    async def main(text):
        said = [expensive(text)]
"""

PIECES = [
    '\n        said += await asyncio.gather(*(ask("{who}", f"{{text}} {{n}}") for n in range({n})))\n',
    '\n        for done in asyncio.as_completed([ask("{who}", f"c{{n}}") for n in range({n})]):\n            said.append(await done)\n',
    '\n        done, left = await asyncio.wait({{asyncio.ensure_future(ask("{who}", f"w{{n}}")) for n in range({n})}},\n                                        return_when=asyncio.FIRST_COMPLETED)\n        said += [task.result() for task in done]\n        for task in left:\n            task.cancel()\n',
    '\n        async with asyncio.TaskGroup() as group:\n            tasks = {{group.create_task(ask("{who}", f"g{{n}} {{text}}")) for n in range({n})}}\n        said += [task.result() for task in tasks]\n',
    '\n        try:\n            said.append(await asyncio.wait_for(ask("{who}", "in time?"), {seconds}))\n        except TimeoutError:\n            said.append("late")\n',
    '\n        async with LIMIT:\n            said.append(await ask("{who}", uuid.uuid4().hex + str(random.random())))\n            await asyncio.sleep({seconds})\n',
    "\n        with ThreadPoolExecutor({n}) as pool:\n            futures = {{pool.submit(pow, n, 2) for n in range({n})}}\n            said += [str(future.result()) for future in as_completed(futures)]\n",
    '\n        said += [await asyncio.to_thread(expensive, f"t{{n}}") for n in range({n})]\n',
    "\n        said += [str(POOL.submit(abs, -{n}).result()), os.urandom(4).hex(), str(time.time())]\n",
    '\n        queue = asyncio.Queue()\n        for n in range({n}):\n            queue.put_nowait(f"q{{n}}")\n        async def work():\n            while not queue.empty():\n                said.append(await ask("{who}", queue.get_nowait()))\n        await asyncio.gather(work(), work())\n',
    '\n        said.append(await ask("{who}", f"{{sorted(SEEN)}} {{len(HISTORY)}} {{time.monotonic()}}"))\n',
]

SCENARIO = """
scenario: drawn
workload: {{tasks: {tasks}, arrivals: {{poisson: {{rate_per_s: 0.5}}}}}}
target: prog:main
providers:
  anthropic: {{limits: {{requests_per_min: {limit}}}, concurrency: {slots}}}
  openai: {{}}
agents:
  planner: {{match: {{system: "*planner*"}}}}
  worker: {{match: {{system: "*worker*"}}, output_tokens: 30}}
faults:
  - {{overloaded: {{agent: worker, probability: {fault}}}}}
  - {{hang: {{agent: planner, probability: {fault}, for_s: 3}}}}
"""


def write_program(folder: Path, number: int) -> Path:
    """Draw one, and give its scenario file."""
    chance = random.Random(number)
    head = HEAD.format(
        places=chance.randint(1, 3), workers=chance.randint(1, 3), retries=chance.randint(0, 2)
    )
    pieces = [
        piece.format(
            who=chance.choice(("planner", "worker")),
            n=chance.randint(1, 4),
            seconds=round(chance.uniform(0.1, 3), 2),
        )
        for piece in chance.sample(PIECES, chance.randint(2, 4))
    ]
    place = folder / str(number)
    place.mkdir()
    source = textwrap.dedent(head + "".join(pieces) + '        return " ".join(map(str, said))\n')
    (place / "prog.py").write_text(source, encoding="utf-8")
    scenario = SCENARIO.format(
        tasks=chance.randint(1, 3),
        limit=chance.choice((20, 60, 1000)),
        slots=chance.randint(1, 4),
        fault=chance.choice((0, 0.1, 0.4)),
    )
    (place / "drawn.yaml").write_text(scenario, encoding="utf-8")
    return place / "drawn.yaml"


def digest(scenario: LoadedScenario, seed: int) -> str:
    result = simulate(scenario, seed)
    return _digest_of(result.spans, result.events)


def _digest_of(*tables: object) -> str:
    return hashlib.sha256("".join(map(as_json_lines, tables)).encode()).hexdigest()  # type: ignore[arg-type]


def digests(files: list[str]) -> dict[str, list[str]]:
    """The digests of each file's runs, one after the other in this process."""
    return {file: [digest(load_scenario(file), seed) for seed in SEEDS] for file in files}


def digests_in_processes(files: list[str], jobs: int) -> dict[str, list[str]]:
    """The digests of each file's runs, side by side."""
    with processes(jobs) as executor:
        return {
            file: [
                _digest_of(result.spans, result.events)
                for result in simulate_many(
                    load_scenario(file), SEEDS, executor=executor, jobs=jobs
                )
            ]
            for file in files
        }


if __name__ == "__main__":
    print(json.dumps(digests(sys.argv[1:])))  # noqa: T201 - it is run as a program
