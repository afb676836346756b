"""Committed state, packed for the journal and held in the store."""
