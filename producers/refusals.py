"""What a broker refuses, or we of it: sentences that name the setting and the mend, the same for both clients."""

from __future__ import annotations

import logging
import time

from stream.errors import BrokerUnavailable, SegstreamError, SettingsError

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 60.0
_CERTIFICATE = "certificate verify failed"
"""So OpenSSL says it, whoever asks."""


def unknown_user(what: str, reason: str) -> SettingsError:
    """Somebody must give another name or password: the one that runs was started with these."""
    return SettingsError(
        f"cannot {what}: the broker does not take kafka.username and kafka.password; give those it knows, and start "
        f"again ({reason})"
    )


def forbidden(what: str, reason: str) -> SettingsError:
    """Somebody must grant something."""
    return SettingsError(f"the broker refuses to {what}: grant it to kafka.username, and start again ({reason})")


def is_untrusted(reason: str) -> bool:
    """Whether a connection failed for the broker's certificate."""
    return _CERTIFICATE in reason


def untrusted(what: str, reason: str) -> BrokerUnavailable:
    """An outage and no wrong setting: certificates run out and are renewed, and then everything goes on by itself."""
    return BrokerUnavailable(
        f"cannot {what}: the broker's certificate is not accepted; renew it if it has expired, let kafka.ca_file name "
        f"who signed it, and kafka.bootstrap_servers a host that it is for ({reason})"
    )


class Aloud:
    """Says into the log why one client cannot connect, once a minute: who only polls hears that there is nothing."""

    def __init__(self) -> None:
        self._again_at = 0.0

    def say(self, refusal: SegstreamError) -> None:
        """Say it, if that is not too soon."""
        if time.monotonic() >= self._again_at:
            self._again_at = time.monotonic() + _AGAIN_SECONDS
            _log.warning("waiting: %s", refusal)
