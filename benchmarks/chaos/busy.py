"""How busy a process is, with all that it started."""

from __future__ import annotations

import psutil


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its children, also those that ended; 0 when there is no such process."""
    try:
        process = psutil.Process(pid)
        times, living = process.cpu_times(), process.children(recursive=True)
        own = times.user + times.system + times.children_user + times.children_system
        return float(own + sum(_alone(child) for child in living))
    except psutil.NoSuchProcess:
        return 0.0


def _alone(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
