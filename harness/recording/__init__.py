"""Record what a real program says to real APIs, on the real clock, into a cassette.

`tap.py` sees the bytes of one connection in both directions and makes exchanges of them; `seams.py` puts taps into HTTP clients;
`recorder.py` gives exchanges their agents and writes them; `bootstrap.py` begins it in a process that `harness record` starts.
"""
