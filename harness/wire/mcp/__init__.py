"""Simulated MCP servers: tools behind the Model Context Protocol, over streamable HTTP, standard input and output, and in memory.

Read `server.py` first. The protocol is spoken here; the `mcp` package is the client's, and not needed.
"""
