"""Logging of the command line: plain, one line a record, to stderr."""

from __future__ import annotations

import logging

from consumers.printable import safe
from stream.errors import SettingsError

LEVELS = ("debug", "info", "warning", "error")


class OneLine(logging.Formatter):
    """A record is a line: nothing in it, such as an id or a traceback, can break it."""

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``.

        >>> OneLine("%(message)s").format(logging.makeLogRecord({"msg": "two\\nlines"}))
        'two\\\\nlines'
        """
        return safe(super().format(record))


def set_up(level: str) -> None:
    """Log from ``level`` on. Raises ``SettingsError``.

    Kafka's client speaks only when we debug, and then not at DEBUG, where it prints passwords. What it says
    comes as our own errors, once and not twice a second.
    """
    if level not in LEVELS:
        raise SettingsError(f"--log-level is one of {', '.join(LEVELS)}")
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    chosen = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=chosen, handlers=[handler], force=True)
    logging.getLogger("kafka").setLevel(logging.INFO if level == "debug" else logging.CRITICAL)
