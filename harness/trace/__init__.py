"""Runs as traces that other tools read."""
