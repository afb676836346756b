"""Who speaks on the command line: whoever says so, else whoever is logged in."""

from __future__ import annotations

import getpass


def speaker(by: str | None) -> str | None:
    """Who says it, ``None`` where nobody knows."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may know no names
        return None
