"""The pure step: from events, states and a model to changes."""
