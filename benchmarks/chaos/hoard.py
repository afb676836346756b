"""Using up all the memory that this process may have, in pieces of every size."""

from __future__ import annotations

import resource

import psutil

_ROOM_BYTES = 16 << 20
_SIZES = [1 << exponent for exponent in range(22, 5, -1)]
_hoard: list[bytes] = []
"""Never given back."""


def hoard() -> None:
    """From now on next to nothing can be allocated."""
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + _ROOM_BYTES, resource.RLIM_INFINITY))
    for size in _SIZES:
        try:
            while True:
                _hoard.append(bytes(size))
        except MemoryError:
            pass
