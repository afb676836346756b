"""The one tree of settings. Every default has a unit in its name and a reason beside it."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, SecretStr, field_validator, model_validator

from stream.settings.declarations import Accumulator, Feature

Seconds = Annotated[float, Field(gt=0)]
Days = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A closed section: a misspelt setting is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class KafkaSettings(Section):
    """How to reach the broker. Password and user never print."""

    bootstrap_servers: str = "127.0.0.1:9092"
    # What worker and owner speak to it with. kafka-python needs nothing but Python and is what most of our guards were
    # found on; librdkafka (pip install 'segstream[librdkafka]') costs less CPU a record and has timeouts everywhere.
    client: Literal["kafka-python", "librdkafka"] = "kafka-python"
    group: str = "segstream"
    # One slot per worker process: a restart under the same slot fences its dead predecessor at once.
    transactional_id: str = "segstream"
    # Hosts that share a group need a name each, such as their host name: worker 0 of one would fence that of the other.
    instance: str = ""
    # True: a worker that comes back within the session timeout finds its partitions as it left them, nobody else stops
    # (rolling restarts). But those of one that is gone for good wait that long, also when it said good-bye.
    static_membership: bool = False
    # Takeover of a dead worker's partitions takes this long; below ~6 s slow garbage collections look like deaths.
    session_timeout_seconds: Seconds = 12.0
    # An open transaction of a dead worker holds up read_committed readers until this passes.
    transaction_timeout_seconds: Seconds = 12.0
    # A request that takes longer counts as a lost broker.
    request_timeout_seconds: Seconds = 10.0
    # How long one poll waits for the first record: the floor of latency on an idle stream.
    poll_timeout_seconds: Seconds = 0.2
    # The unit of everything vectorised; above ~4,000 the gain is nil and the latency grows.
    max_poll_records: int = Field(default=2000, ge=1, le=10_000)
    security: Literal["plaintext", "tls", "sasl_tls"] = "plaintext"
    ca_file: str | None = None
    username: SecretStr | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _timeouts_agree(self) -> Self:
        if self.transaction_timeout_seconds <= self.request_timeout_seconds:
            raise ValueError("transaction_timeout_seconds must be greater than request_timeout_seconds")
        return self


class TopicSettings(Section):
    """Names and shape of the topics."""

    events: str = "customer.events"
    changes: str = "segment.changes"
    ledger: str = "segment.ledger"
    profiles: str = "segment.profiles"
    rejected: str = "customer.events.rejected"
    journal: str = "segstream.journal"
    learning: str = "segstream.learning"
    model: str = "segstream.model"
    control: str = "segstream.control"
    # The most workers that can share the load, ever: changing it later is a migration.
    partitions: int = Field(default=4, ge=1, le=1024)
    replication: int = Field(default=1, ge=1)


class RedisSettings(Section):
    """How to reach the store."""

    url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    # Together with two retries this stays below the group's session timeout.
    timeout_seconds: Seconds = 2.0
    # features:<customer>, one JSON document a customer; costs about a third of the writing.
    features_document: bool = True


class CustomerSettings(Section):
    """What is kept of a customer and for how long."""

    # How long a typical customer waits between two visits; most other times are multiples of it. Retail: a week.
    typical_gap_days: Days = 7.0
    # The knob between delay and calm: 30 d sees a true change after ~30 d (measured, DESIGN 3). None: 4 typical gaps.
    half_life_days: Days | None = None
    # Nobody is called dormant before this. None: 4 typical gaps.
    dormancy_floor_days: Days | None = None
    # ... nor before this many of the customer's own gaps: 4 gave 4 false alarms per 1,000 events, 2 gave 11.
    dormancy_own_gaps: float = Field(default=4.0, gt=0)
    # Within so many of its own gaps a customer is not silent: it is about to come, and would only be moved back. A-B-A
    # a thousand events, personas / baskets: 0 gave 1.8 / 8.0, 2 gave 1.1 / 7.3, 3 gave .8 / 6.4, 4 gave no less.
    silent_own_gaps: float = Field(default=3.0, ge=0)
    # After two years of silence a customer is closed.
    forget_after_days: Days = 730.0
    # Below three looks nine in ten are right, which is not enough to publish.
    cold_looks: int = Field(default=3, ge=1)
    # Weekends and evenings are local.
    timezone: str = "UTC"
    # From the future = later than the broker's own time plus this; five minutes of clock skew are normal.
    future_tolerance_seconds: float = Field(default=300.0, ge=0)
    # An event this far ahead of its partition's clock moves it only when witnessed by other customers.
    max_jump_days: Days = 1.0
    jump_witnesses: int = Field(default=3, ge=1)
    # A basket of 200 lines is 15 KB.
    max_event_bytes: int = Field(default=65_536, ge=256)
    accumulators: tuple[Accumulator, ...] = ()
    features: tuple[Feature, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"'{name}' is not a time zone; write one like 'Europe/Berlin'") from error
        return name

    @model_validator(mode="after")
    def _declarations_agree(self) -> Self:
        by_name = {a.name: a for a in self.accumulators}
        if len(by_name) != len(self.accumulators):
            raise ValueError("two accumulators have the same name")
        if len({f.name for f in self.features}) != len(self.features):
            raise ValueError("two features have the same name")
        for feature in self.features:
            for name in filter(None, (feature.of, feature.per)):
                if name not in by_name:
                    raise ValueError(f"feature '{feature.name}' names an accumulator '{name}' that is not declared")
            mix = by_name[feature.of]
            if feature.kind == "entropy" and mix.kind != "mix":
                raise ValueError(f"feature '{feature.name}': entropy is of a mix, '{feature.of}' is a {mix.kind}")
            if set(feature.values) - set(mix.values):
                raise ValueError(f"feature '{feature.name}': values that '{feature.of}' does not declare")
        return self

    @property
    def half_life_ms(self) -> int:
        """Half-life of every accumulator, in milliseconds."""
        return round((self.half_life_days or 4 * self.typical_gap_days) * 86_400_000)

    @property
    def flap_ms(self) -> int:
        """Back in the segment before within so long is a flap: about five own events, milliseconds."""
        return round(5 * self.typical_gap_days * 86_400_000)

    @property
    def dormancy_floor_ms(self) -> int:
        """Least silence of a dormant customer, in milliseconds."""
        return round((self.dormancy_floor_days or 4 * self.typical_gap_days) * 86_400_000)


MOST_SEGMENTS = 16


def _segments(said: object) -> int | Literal["auto"]:
    """A number of segments, or ``auto``; a union would blame the parts and not the setting."""
    if said == "auto":
        return "auto"
    number = int(said) if isinstance(said, int) or (isinstance(said, str) and said.isdecimal()) else 0
    if not 2 <= number <= MOST_SEGMENTS:
        raise ValueError(f"should be a number from 2 to {MOST_SEGMENTS}, or 'auto'")
    return number


ModelKind = Literal["cells", "kmeans", "streamkmeans", "clustream", "dbstream", "denstream"]


class ModelSettings(Section):
    """How segments are learnt and held."""

    # cells = population cells (ours); the others are river's own, behind the same seam.
    kind: ModelKind = "cells"
    # On continuous data no index finds "the" number (DESIGN 4); five is what analysts can hold in mind. "auto": what
    # three of four indices want in two scans in a row, from segments_least to segments_most (kind cells only).
    segments: Annotated[int | Literal["auto"], PlainValidator(_segments)] = 5
    segments_least: int = Field(default=4, ge=2, le=16)
    segments_most: int = Field(default=8, ge=2, le=16)
    # A scan (35 ms) after so many looks, a day or so of a small shop: groups do not come and go faster.
    scan_looks: int = Field(default=20_000, ge=1)
    # 20 cells a segment: the grouping is within 1-2 % of batch k-means, a macro step takes 2 ms.
    cells: int = Field(default=100, ge=8, le=1000)
    # The first grouping needs this many distinct customers; events of a few heavy ones would not do.
    # Until then each is kept one by one, also in the owner's record, which has room for half a million.
    warmup_customers: int = Field(default=500, ge=10, le=100_000)
    # A new grouping after this many learning rows ...
    macro_rows: int = Field(default=2000, ge=1)
    # ... and not more often than this (wall clock). 0 = no limit, for one process and replays.
    interval_seconds: float = Field(default=1.0, ge=0)
    # A cold challenger replaces the warm grouping when such ones have been better by this share of inertia for a third
    # of a half-life. 5 % left a lag of 40 d; at once was undone a few days later where many were on their way.
    challenger_gain: Share = 0.02
    challenger_tries: int = Field(default=4, ge=0)
    # auto = a better grouping is adopted when it is found; propose = one that would move more than max_regroup of the
    # customers at once waits for a person: segstream model show. One in twenty is a busy week of ordinary changes.
    regroup: Literal["auto", "propose"] = "auto"
    max_regroup: Share = 0.05
    # The flap budget: a rival must be nearer by this share of the distance. 0.25 suits continuous data (DESIGN 4).
    margin: Share = 0.25
    # Heavy tails: beyond 3 standard deviations a customer is just "far".
    clip_sd: float = Field(default=3.0, gt=0)
    # Segments do not adapt: the first model is made when there are customers enough (before it everybody is cold), and
    # stays where it is. What an analyst says of it is still done; once a day it tells anew who holds its segments.
    frozen: bool = False
    seed: int = 7

    @model_validator(mode="after")
    def _bounds_agree(self) -> Self:
        if self.segments_least > self.segments_most:
            raise ValueError("segments_least must not be greater than segments_most")
        if self.segments == "auto" and self.kind != "cells":
            raise ValueError(f"segments = 'auto' needs kind 'cells'; {self.kind} wants a number")
        return self

    @property
    def first_segments(self) -> int:
        """The number of segments to begin with."""
        return min(max(5, self.segments_least), self.segments_most) if self.segments == "auto" else self.segments


class ValueSettings(Section):
    """What turns spend into a value of customers (``model/value``). Any of it may be changed at any time."""

    # Of revenue, before costs that do not depend on the customer. A grocer's gross margin is 25 to 30 %.
    margin: Share = 0.25
    # A year; what money elsewhere would bring. 12 % is what Gupta and Lehmann (2003) reckon with, of usually 8 to 16.
    # Not 0: who is kept for ever would be worth without end.
    discount_rate: float = Field(default=0.12, gt=0, le=10)
    # Segments whose outcomes are alike may as well be one (``model/likeness``). Orders and spend: at most this ratio,
    # the limits within which medicines count as equal (80 to 125 %, Schuirmann 1987).
    alike_ratio: float = Field(default=1.25, gt=1)
    # Retention: surely no farther apart than this share of the customers in 30 days.
    alike_retention: Share = 0.02
    # Of fewer active customers in either nothing is said: means of a hundred who vary as much as their mean are good
    # to 10 %.
    alike_customers: int = Field(default=100, ge=1)


Detector = Literal["ewma", "adwin", "page_hinkley"]


class DriftSettings(Section):
    """When is it drift (``stream/drift``)? Figures are of ``benchmarks.drift``."""

    # ewma = a chart against a frozen reference (ours); the others are river's, fed the same block means.
    detector: Detector = "ewma"
    # Neighbouring events are alike, means of 200 hardly; of 1000 the delay is several times as long.
    block_events: int = Field(default=200, ge=2)
    # Four times what the slow EWMA remembers, so that how far it strays by itself can be measured. Fewer, and what
    # is usual is not known well enough to say what is not; limits widen for what is missing.
    reference_blocks: int = Field(default=160, ge=20)
    # A week has every hour and every weekday.
    reference_days: Days = 7.0
    # The quick EWMA of a chart remembers about 2 / .2 = 10 blocks: great shifts, soon.
    smoothing: float = Field(default=0.2, gt=0, le=1)
    # Standard deviations of the EWMA. Alarms of shuffled real weeks in 43 million values: 5.5 gave 2, 6 none, for a
    # block or two of delay; the textbook 3 would give thousands (Lucas and Saccucci 1990). Small shifts: see below.
    limit_sd: float = Field(default=6.0, gt=0)
    # The slow one remembers 40: without it 9 of 10 shifts by half a standard deviation of AR(.95) were never found.
    slow_smoothing: float = Field(default=0.05, gt=0, le=1)
    # It looks at a quarter as many independent blocks. Alarms: 4 gave 7 in 320 million made-up values, 4.25 still 2 in
    # a shuffled year of groceries as the service reads it, 4.5 none in either.
    slow_limit_sd: float = Field(default=4.5, gt=0)
    # river's default; of ADWIN only.
    adwin_delta: float = Field(default=0.002, gt=0, lt=1)
    # river's default, in standard deviations of a block mean; of Page-Hinkley only.
    page_hinkley_threshold: float = Field(default=50.0, gt=0)
    # Quantile bins of the population; ten are what the rules of thumb of PSI are for.
    psi_bins: int = Field(default=10, ge=2, le=50)
    # Population stability index below which nobody is told, however many customers make it significant.
    psi_least: float = Field(default=0.10, gt=0)
    # The population is not judged while partitions are farther apart in event time, as when a backlog is read one after
    # the other. Features remember a month, so a week of it is little; and no partition with customers is quiet so long.
    span_days: Days = 7.0

    @property
    def ewmas(self) -> tuple[tuple[float, float], ...]:
        """Smoothing and limit (standard deviations) of each EWMA of a chart, the quick one first."""
        return (self.smoothing, self.limit_sd), (self.slow_smoothing, self.slow_limit_sd)


class WorkerSettings(Section):
    """The pace of the worker."""

    # event = time is what events say (replay, demo); live = an idle partition follows the wall clock.
    clock: Literal["event", "live"] = "event"
    # live: so long after the newest event of all partitions silence is believed; beyond, the upstream is down.
    idle_cap_seconds: Seconds = 3600.0
    # At most this share of a batch goes to due timers of who did nothing, beside live events far fewer: a mass deadline
    # cannot stall events.
    timer_share: Share = 0.5
    # Every customer is written to the journal again within this time; with 7 d of retention that leaves room.
    sweep_seconds: Seconds = 86_400.0
    # After SIGTERM: finish the batch, commit, leave.
    drain_seconds: Seconds = 20.0
    # Above this share of bad records a worker stops and asks: one in twenty is not a few bad clients any more, it is
    # a producer, or we, with the wrong idea of the contract. 1 = never stop.
    poison_share: Share = 0.05
    # ... of the records of the last minute: shorter, and a burst of one client stops everybody.
    poison_window_seconds: Seconds = 60.0
    # ... if there were at least so many: of the hundred records of a quiet night five are nothing.
    poison_least_records: int = Field(default=1000, ge=1)
    # A transaction call that does not return within this kills the process (kafka-python waits for ever).
    watchdog_seconds: Seconds = 30.0


class MetricsSettings(Section):
    """Where Prometheus scrapes. One port a process: worker at ``port``, owner at ``port`` + 1, the second worker at
    ``port`` + 2 and so on; 0 = any free port, which each process names in its log.
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65_534)


class PageSettings(Section):
    """Where ``segstream dashboard`` serves the live page. Whoever reaches it can look customers up."""

    # Other machines reach it only if you say so, by "0.0.0.0": then a proxy in front of it should ask who comes.
    host: str = "127.0.0.1"
    port: int = Field(default=8642, ge=1, le=65_535)
    # Names that browsers may ask for it by, with commas between. If none are given: on a loopback host those of this
    # machine, else any. Without them another site's name that is made to point here (DNS rebinding) would be served.
    names: str = ""
    # Who has it may rename and pin segments there. None: nobody may.
    token: SecretStr | None = None

    @field_validator("token")
    @classmethod
    def _token_is_long(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not 8 <= len(token.get_secret_value()) <= 200:
            raise ValueError("a token has 8 to 200 characters")
        return token


class Tree(Section):
    """All settings; ``loading.load`` reads them from file, environment and flags."""

    # Which shipped declarations stand under the file's own; personas is retail for simulated customers.
    profile: Literal["retail", "telecom", "streaming", "personas", "none"] = "retail"
    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    redis: RedisSettings = RedisSettings()
    customers: CustomerSettings = CustomerSettings()
    model: ModelSettings = ModelSettings()
    value: ValueSettings = ValueSettings()
    drift: DriftSettings = DriftSettings()
    worker: WorkerSettings = WorkerSettings()
    metrics: MetricsSettings = MetricsSettings()
    page: PageSettings = PageSettings()
