"""The core of segstream: from bytes to segment changes, with the I/O at the edges.

    bytes -> contracts.events -> customer.fold -> customer.features -> decision.step -> contracts.changes

``model`` learns the segments, ``view`` holds committed state, ``settings`` and ``errors`` stand under everything.
Nothing here imports ``consumers`` or ``producers``.
"""
