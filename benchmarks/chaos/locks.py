"""What keeps a service out of its broker: how it begins, how it is mended, and what must be said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chaos.scene import Tally
from benchmarks.chaos.stage import Stage
from benchmarks.guarded_kafka import HERE, GuardedKafka
from consumers.takeover import owner_group
from stream.settings.loading import PREFIX

USER, PASSWORD, OTHER = "canary-user-58ab", "canary-password-93ac", "canary-password-c7e0"
NAME_IN, PASSWORD_IN = f"{PREFIX}KAFKA__USERNAME", f"{PREFIX}KAFKA__PASSWORD"


@dataclass(frozen=True)
class Trial:
    """Where a fault is tried."""

    broker: GuardedKafka
    stage: Stage
    secrets: dict[str, str]
    """What the next to start is told."""
    tally: Tally


@dataclass(frozen=True)
class Fault:
    """What keeps the service out, from one moment on, until it is mended."""

    name: str
    begin: Callable[[Trial], None]
    mend: Callable[[Trial], None]
    says: tuple[str, ...]
    """What the sentence names."""
    ends: bool
    """Whether somebody has to start it again. If not it waits, and goes on by itself."""


def _expire(trial: Trial) -> None:
    trial.broker.show(trial.broker.authority.certificate("expired", HERE, -1))


def _move(trial: Trial) -> None:
    trial.broker.show(trial.broker.authority.certificate("elsewhere", "DNS:elsewhere.example"))


def _renew(trial: Trial) -> None:
    trial.broker.show()


def _change_password(trial: Trial) -> None:
    trial.broker.change_password(OTHER)
    trial.broker.show()  # who is connected stays so until then


def _tell_password(trial: Trial) -> None:
    trial.secrets[PASSWORD_IN] = OTHER


def _forbid(trial: Trial) -> None:
    kafka = trial.stage.settings.kafka
    for group in (kafka.group, owner_group(kafka)):
        trial.broker.forbid(group)


def _allow(trial: Trial) -> None:
    trial.broker.allow()


_CERTIFICATE = ("certificate is not accepted", "renew it", "kafka.ca_file", "kafka.bootstrap_servers")
FAULTS = (
    Fault("expired certificate", _expire, _renew, _CERTIFICATE, ends=False),
    Fault("certificate of another host", _move, _renew, _CERTIFICATE, ends=False),
    Fault("password changed", _change_password, _tell_password, ("kafka.username and kafka.password",), ends=True),
    Fault("right taken away", _forbid, _allow, ("grant it to kafka.username",), ends=True),
)
