"""Export runs as traces for other tools.

`told.py` says what each span of a run tells and under which names (`names.py`, `openinference.py`); `otlp.py` writes that as
OTLP/JSON, `post.py` sends it, `live.py` gives it to the OpenTelemetry SDK. `chrome.py` draws a run for Perfetto (spans: `slices.py`).
Both tell what `timed.py` finds: critical paths and slack.
"""
