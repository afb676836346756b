"""Settings that are allowed but do not go together. What is never right is refused when they are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from consumers.doctor.facts import Finding
from consumers.showing.words import duration
from consumers.topics import shapes
from stream.settings import Tree

_SAFE_SESSION_SECONDS = 6.0
_STORE_TRIES = 3
"""One and two retries."""
_LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]", None)


def settings_findings(settings: Tree) -> Iterator[Finding]:
    """Warnings, or one line that says there are none."""
    problems = [*_timeouts(settings), *_silence(settings), *_model(settings), *_network(settings)]
    yield from (Finding("settings", "warn", says, mend) for says, mend in problems)
    if not problems:
        yield Finding("settings", "ok", f"profile {settings.profile}, nothing contradicts itself")


def _timeouts(settings: Tree) -> Iterator[tuple[str, str]]:
    kafka, worker = settings.kafka, settings.worker
    session, transaction = kafka.session_timeout_seconds, kafka.transaction_timeout_seconds
    if session < _SAFE_SESSION_SECONDS:
        yield (
            f"kafka.session_timeout_seconds is {session:g}: slow garbage collections look like deaths",
            f"raise it to {_SAFE_SESSION_SECONDS:g} or more",
        )
    if transaction > 2 * session:
        yield (
            f"a dead worker's transaction stays open for {transaction:g} s, a takeover takes {session:g} s",
            "bring kafka.transaction_timeout_seconds near kafka.session_timeout_seconds",
        )
    if worker.watchdog_seconds < transaction:
        yield (
            "the watchdog ends a worker before the broker has given up its transaction",
            "raise worker.watchdog_seconds above kafka.transaction_timeout_seconds",
        )
    if _STORE_TRIES * settings.redis.timeout_seconds >= session:
        yield (
            f"{_STORE_TRIES} tries at the store take longer than the group waits for a member",
            f"lower redis.timeout_seconds below {session / _STORE_TRIES:.1f}",
        )
    kept_seconds = int(shapes(settings.topics)[settings.topics.journal].configs["retention.ms"]) / 1000
    if worker.sweep_seconds > kept_seconds / 2:
        yield (
            f"a sweep takes {duration(worker.sweep_seconds)} and the journal keeps {duration(kept_seconds)}",
            "lower worker.sweep_seconds below half of the journal's retention",
        )


def _silence(settings: Tree) -> Iterator[tuple[str, str]]:
    customers = settings.customers
    gap_days = customers.typical_gap_days
    half_life_days, floor_days = customers.half_life_ms / 86_400_000, customers.dormancy_floor_ms / 86_400_000
    if half_life_days < 2 * gap_days:
        yield (
            f"a half-life of {half_life_days:g} d hardly spans two visits, which are {gap_days:g} d apart",
            "raise customers.half_life_days to about 4 typical gaps",
        )
    if floor_days < 2 * gap_days:
        yield (
            f"customers count as dormant after {floor_days:g} d, {gap_days:g} d between visits are typical",
            "raise customers.dormancy_floor_days to about 4 typical gaps",
        )
    if customers.forget_after_days <= floor_days:
        yield ("customers are closed before they can be dormant", "raise customers.forget_after_days")


def _model(settings: Tree) -> Iterator[tuple[str, str]]:
    model = settings.model
    most = model.segments_most if model.segments == "auto" else model.segments
    if model.cells < 8 * most:
        yield (
            f"{model.cells} cells are few for {most} segments: the grouping is coarse",
            "raise model.cells to about 20 a segment",
        )
    if model.warmup_customers < model.cells:
        yield (
            f"the first model is made of {model.warmup_customers} customers, fewer than it has cells",
            "raise model.warmup_customers above model.cells",
        )
    if not settings.customers.features:
        yield (
            "no features are declared: all customers look the same",
            "choose a profile, or declare customers.features",
        )


def _network(settings: Tree) -> Iterator[tuple[str, str]]:
    hosts = {server.rsplit(":", 1)[0] for server in settings.kafka.bootstrap_servers.split(",")}
    if settings.kafka.security == "plaintext" and not hosts <= {*_LOCAL}:
        yield ("events travel to the broker unencrypted", "set kafka.security to tls or sasl_tls")
    url = urlsplit(settings.redis.url.get_secret_value())
    if url.scheme == "redis" and url.hostname not in _LOCAL:
        yield ("states travel to the store unencrypted", "use a rediss:// address in redis.url")
