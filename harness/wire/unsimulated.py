"""What a program asks for and nobody simulates: it is counted, and refused by its name."""

from __future__ import annotations

from harness.errors import NotSimulated
from harness.wire.http import HttpRequest, HttpResponse
from harness.wire.sites import Site

_FIRST_ERROR_STATUS = 400


class Unsimulated:
    """The places of one run that are not simulated."""

    def __init__(self) -> None:
        self.tries: dict[str, int] = {}
        """Number of tries to reach each: a host, an operation, a websocket."""

    def count(self, place: str) -> int:
        """Count one more try, and return how many there were."""
        number = self.tries[place] = self.tries.get(place, 0) + 1
        return number

    def websocket(self, host: str, path: str) -> NotSimulated:
        """Count a websocket that a client wants, and return the error for it."""
        place = f"websocket {path} at {host}"
        self.count(place)
        return NotSimulated(f"the {place}", "use the API over HTTP, or replace what connects")

    def check(self, at: Site, http: HttpRequest, answer: HttpResponse) -> None:
        """Check that an error does not come from an operation that only the real API has.

        Args:
            at: Where the request came to.
            http: The request.
            answer: What the API says of it.

        Raises:
            NotSimulated: It does.
        """
        if answer.status < _FIRST_ERROR_STATUS:
            return
        if http.headers.get("upgrade", "").lower() == "websocket":
            raise self.websocket(http.host, http.path)
        operation = at.refused(http)
        if operation:
            self.count(f"{operation} at {http.host}")
            raise NotSimulated(
                f"{operation} of the API {at.endpoint.speaks.name!r}",
                "replace it in the test, or replay a cassette of it; docs/wire.md lists what is served",
            )
