"""Numbers: pure functions of spans."""
