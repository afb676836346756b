"""The casts that are shipped, by name."""

from __future__ import annotations

from producers.personas.cast import Cast
from producers.personas.retail import RETAIL
from producers.personas.streaming import STREAMING
from producers.personas.telecom import TELECOM
from stream.errors import SettingsError

CASTS = {cast.name: cast for cast in (RETAIL, TELECOM, STREAMING)}


def cast_of(name: str) -> Cast:
    """A shipped cast. Raises ``SettingsError``.

    >>> cast_of("telecom").personas[1].name
    'talker'
    """
    if name not in CASTS:
        raise SettingsError(f"--cast is one of {', '.join(CASTS)}, not '{name}'")
    return CASTS[name]
