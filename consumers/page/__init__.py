"""The live page: one address where people watch segments, the flow between them, and the health of the service."""
