"""Export traces while runs complete, to the target in the OTEL_* variables.

A collector that is not there costs one timeout and a warning, and never the runs: traces are a view of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.trace.run import TracedRun

_BATCH_SPANS: Final = 512
"""As many as the SDK's own processor gives an exporter at once."""


class LiveExport:
    """Gives runs to the exporters of the OpenTelemetry SDK.

    Args:
        exporters: Where to; None means those that the environment names.

    Raises:
        HarnessError: The SDK is not installed, or an exporter cannot be made.
    """

    def __init__(self, exporters: list[Any] | None = None) -> None:
        try:
            from harness.trace import sdk
        except ImportError as error:
            raise HarnessError(
                "live traces need the OpenTelemetry SDK, which is not installed\n"
                "  How to fix: pip install 'multiagent-harness[otel]'"
            ) from error
        self._batches = sdk.readable_spans
        self._exporters = sdk.exporters() if exporters is None else exporters
        self.warnings: list[str] = []
        """What went wrong with an exporter, which then gets no more."""

    def export(self, run: TracedRun) -> None:
        """Export the spans of one run."""
        if not self._exporters:
            return
        for batch in self._batches(run, _BATCH_SPANS):
            for exporter in tuple(self._exporters):
                failure = _failure(exporter, batch)
                if failure:
                    self._exporters.remove(exporter)
                    self._warn(exporter, failure)

    def close(self) -> None:
        """Wait until everything has been sent, as long as exporters wait by themselves."""
        for exporter in self._exporters:
            try:
                if not exporter.force_flush():
                    self._warn(exporter, "it was not done in time")
                exporter.shutdown()
            except Exception as error:  # noqa: BLE001 - an exporter of anybody's; the runs are done
                self._warn(exporter, type(error).__name__)
        self._exporters = []

    def _warn(self, exporter: object, failure: str) -> None:
        self.warnings.append(
            f"warning: traces were not exported, or not all: {type(exporter).__name__} failed, {failure}\n"
            "  How to fix: see that the collector runs where OTEL_EXPORTER_OTLP_ENDPOINT says "
            "(http://localhost:4318 if it is not set)"
        )


def _failure(exporter: Any, batch: list[Any]) -> str:  # noqa: ANN401 - of a package that may be absent
    """What went wrong with a batch; empty if nothing did."""
    try:
        result = exporter.export(batch)
    except Exception as error:  # noqa: BLE001 - an exporter of anybody's; the runs count more than their traces
        return type(error).__name__
    return "" if result.name == "SUCCESS" else "see its messages above"
