"""A pipeline as a class: a blocking client, and a state that all stages and their threads share."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from openai import OpenAI

MODEL = "gpt-4o-mini"
OUTLINER = "You are an outliner. List the sections of an article on the topic, one a line."
WRITER = "You are a section writer. Write the section in one paragraph."
EDITOR = "You are an editor. Make one article of the sections, in their order."


class ArticlePipeline:
    """Outline, write, edit.

    Args:
        max_workers: How many sections are written at once.
    """

    def __init__(self, max_workers: int = 3) -> None:
        self.client = OpenAI(timeout=60, max_retries=2)
        self.max_workers = max_workers
        self.sections: list[str] = []
        self.article = ""
        self.tokens = 0
        self._lock = threading.Lock()

    def run(self, topic: str) -> str:
        """Write an article."""
        titles = self._ask(OUTLINER, topic).splitlines()
        with ThreadPoolExecutor(self.max_workers) as pool:
            for future in [pool.submit(self._write, title) for title in titles]:
                future.result()
        self.article = self._ask(EDITOR, "\n\n".join(self.sections))
        return self.article

    def _write(self, title: str) -> None:
        text = self._ask(WRITER, title)
        with self._lock:
            self.sections.append(f"{title}: {text}")

    def _ask(self, system: str, prompt: str) -> str:
        completion = self.client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "system", "content": system}, {"role": "user", "content": prompt}],
        )
        if completion.usage is not None:
            with self._lock:
                self.tokens += completion.usage.total_tokens
        return completion.choices[0].message.content or ""


if __name__ == "__main__":
    print(ArticlePipeline().run(" ".join(sys.argv[1:])))
