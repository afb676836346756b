"""What a broker refuses, or we of it: sentences that name the setting and the mend, the same for both clients."""

from __future__ import annotations

from stream.errors import BrokerUnavailable, SettingsError

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
