"""Translates paragraphs side by side, with `requests` instead of an SDK, and with tenacity for what goes wrong."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

URL = "https://api.openai.com/v1/chat/completions"
TRANSLATOR = "You are a translator. Translate into {language}, and say nothing else."


class Busy(Exception):  # noqa: N818 - what the service is
    """The service asks to come back later."""


class Translator:
    """A translator for one language.

    Args:
        language: The language.
        workers: How many paragraphs are translated at once.
    """

    def __init__(self, language: str, workers: int = 4) -> None:
        self.system = TRANSLATOR.format(language=language)
        self.workers = workers
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {os.environ['OPENAI_API_KEY']}"

    def translate(self, text: str) -> str:
        """Translate a text."""
        with ThreadPoolExecutor(self.workers) as pool:
            return "\n\n".join(pool.map(self.paragraph, text.split("\n\n")))

    @retry(
        retry=retry_if_exception_type((Busy, requests.ConnectionError, requests.Timeout)),
        wait=wait_exponential(multiplier=1, min=2, max=20),
        stop=stop_after_attempt(4),
        reraise=True,
    )
    def paragraph(self, text: str) -> str:
        """Translate a paragraph."""
        messages = [{"role": "system", "content": self.system}, {"role": "user", "content": text}]
        response = self.session.post(
            URL, json={"model": "gpt-4o-mini", "messages": messages}, timeout=(5, 30)
        )
        if response.status_code in (429, 500, 503):
            raise Busy(response.text)
        response.raise_for_status()
        translated: str = response.json()["choices"][0]["message"]["content"]
        return translated


if __name__ == "__main__":
    print(Translator(sys.argv[1]).translate(sys.stdin.read()))
