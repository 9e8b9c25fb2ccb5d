"""Simulated A2A agents: peers of the program that are reached over the Agent2Agent protocol 1.0, with its JSON-RPC binding.

Read `agent.py` first. Source: https://a2a-protocol.org/latest/specification, and `a2a-sdk` 1.3.0.
"""
