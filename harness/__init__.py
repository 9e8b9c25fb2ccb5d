"""Deterministic simulation testing for multi-agent LLM systems."""
