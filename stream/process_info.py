"""What a process is: version and settings, as series that are always 1, to join and to compare."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge

from stream.settings import Tree

_OWN: dict[str, bool | set[str]] = {"metrics": True, "kafka": {"instance"}}
"""What may differ between the processes of one service."""


class ProcessInfo:
    """Shown by each process once."""

    def __init__(self, registry: CollectorRegistry, settings: Tree) -> None:
        self.build = Gauge(
            "segstream_build_info", "The running version; always 1.", ["version", "python"], registry=registry
        )
        self.settings = Gauge(
            "segstream_settings_info",
            "The settings it runs under; always 1. Processes of one service have the same digest.",
            ["profile", "model", "segments", "client", "digest"],
            registry=registry,
        )
        self.build.labels(version("segstream"), platform.python_version()).set(1)
        model = settings.model
        self.settings.labels(
            settings.profile, model.kind, str(model.segments), settings.kafka.client, digest(settings)
        ).set(1)


def digest(settings: Tree) -> str:
    """A short digest of all settings that the processes of a service share. Secrets are masked before they count."""
    return hashlib.sha256(settings.model_dump_json(exclude=_OWN).encode()).hexdigest()[:12]
