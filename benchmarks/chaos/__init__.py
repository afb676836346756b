"""Faults against the running service: real processes, a real broker, a real store; and what must hold afterwards."""
