"""Pipeline: what comes in, what becomes of it, how long it takes, and what keeps workers from their work."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, statetimeline
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.colours import ILL, QUIET
from deploy.grafana.kit import Sheet, dressed, number, over_time, query, stacked, worded
from deploy.grafana.shared import health, marked

_FLAGS = {
    "segstream_paused": "paused",
    "segstream_circuit_open": "too many bad records",
    "segstream_commit_stuck": "commit stuck",
    "segstream_timers_backlog": "timers behind",
}


def build() -> models.Dashboard:
    """The dashboard."""
    said = "From the broker to the store: rates, delays, and what is in the way."
    sheet = marked(Sheet("segstream-pipeline", "Pipeline", said)).line(4, *_now())
    sheet.row("What comes in").line(8, _outcomes(), _reasons(), _looks())
    sheet.row("Delay").line(8, _lag(), _behind(), _latency())
    sheet.row("Where the time goes").line(8, _stages(), _store(), _batches())
    sheet.row("In the way").line(7, _flags(), _failures())
    sheet.row("Model and journal").line(8, _versions(), _ages(), _macro())
    return sheet.row("Machines").line(8, _cpu(), _memory()).build()


def _now() -> list[stat.Panel]:
    owned = "Of the input, by all workers. Fewer than there are: some wait."
    bad = "max(segstream:rejected:ratio5m{J} or on () vector(0))"
    moves = "sum(increase(segstream_rebalances_total{J}[$__range]))"
    return [
        health(),
        number("Processes", "That answer scrapes.", "none", "sum(up{J})"),
        number("Partitions owned", owned, "none", "sum(segstream_assigned_partitions{J})"),
        number("Rejected, 5 min", "Share of the input that breaks the contract.", "percentunit", bad, decimals=2),
        number("Rebalances", "Assignments of all workers in the time shown.", "none", moves, instant=True, decimals=0),
        _version(),
    ]


def _version() -> stat.Panel:
    versions = "count by (version) (segstream_build_info{J})"
    said = "And how many processes run it. Two are a roll-out."
    panel = number("Version", said, "none", versions, legend="{{version}}", instant=True)
    return panel.text_mode(look.BigValueTextMode.VALUE_AND_NAME).graph_mode(look.BigValueGraphMode.NONE)


def _outcomes() -> lines.Panel:
    outcomes = query("sum by (outcome) (rate(segstream_events_total{J}[R]))", "{{outcome}}")
    return stacked(over_time("Records by outcome", "Every input record has exactly one.", "cps", outcomes))


def _reasons() -> lines.Panel:
    reasons = query("sum by (reason) (rate(segstream_rejected_total{J}[R]))", "{{reason}}")
    said = "Why records went to the rejected topic, where they are with their bytes."
    return stacked(over_time("Rejected by reason", said, "cps", reasons))


def _looks() -> lines.Panel:
    looks = query("sum by (by) (rate(segstream_looks_total{J}[R]))", "{{by}}")
    changes = query("sum(rate(segstream_changes_total{J}[R]))", "changes published")
    said = "Evaluations of customers, by an event or because their silence fell due, and what came of it."
    return over_time("Looks and changes", said, "cps", looks, changes)


def _lag() -> lines.Panel:
    waiting = query("sum(segstream_input_lag_records{J})", "all partitions")
    largest = query("max(segstream_input_lag_largest_records{J})", "the worst partition")
    said = "Records not yet processed. One partition with nearly all of them: a hot key."
    return over_time("Records that wait", said, "short", waiting, largest)


def _behind() -> lines.Panel:
    each = query("max by (instance) (segstream_input_lag_seconds{J})", "{{instance}} waits")
    clock = query("time() - max(segstream_event_time_seconds{J} > 0)", "event time behind the clock")
    said = "Age of the oldest record that waits, by worker; and how old the newest events are: in a replay, very."
    return over_time("Behind by", said, "s", each, clock)


def _latency() -> lines.Panel:
    buckets = "sum by (le) (rate(segstream_event_to_segment_seconds_bucket{J}[R]))"
    shares = {"half": 0.5, "95 of 100": 0.95, "99 of 100": 0.99}
    queries = [query(f"histogram_quantile({share}, {buckets})", name) for name, share in shares.items()]
    said = "From the broker's timestamp to the result in the store: so long or less for these shares of the events."
    return over_time("Event to segment", said, "s", *queries)


def _stages() -> lines.Panel:
    mean = query(_mean("segstream_stage_seconds", " by (stage) "), "{{stage}}")
    said = "Mean time of a batch by stage: commit is the broker, load and apply are the store, the others are CPU."
    return stacked(over_time("Stages of a batch", said, "s", mean))


def _store() -> lines.Panel:
    buckets = "sum by (operation, le) (rate(segstream_store_seconds_bucket{J}[R]))"
    slow = query(f"histogram_quantile(0.99, {buckets})", "{{operation}}")
    said = "99 of 100 operations on Redis take so long or less. apply is one transaction a partition."
    return over_time("Store", said, "s", slow)


def _batches() -> lines.Panel:
    said = "Events a batch: small batches are a calm stream, batches at the limit are a backlog."
    return over_time("Events a batch", said, "short", query(_mean("segstream_batch_events"), "mean"))


def _flags() -> statetimeline.Panel:
    queries = [query(f"max({metric}{{J}})", name) for metric, name in _FLAGS.items()]
    restoring = query("max(segstream_restore_remaining_customers{J}) > bool 0", "restoring")
    said = "What holds or slows a worker. Each has a page in docs/runbooks.md."
    panel = dressed(statetimeline.Panel(), "What is in the way", said, "none", *queries, restoring)
    return panel.mappings([worded({0: ("no", QUIET), 1: ("yes", ILL)})]).merge_values(True).fill_opacity(70)


def _failures() -> lines.Panel:
    commits = query("sum(increase(segstream_commit_failures_total{J}[R]))", "transactions that failed")
    kinds = query("sum by (kind) (increase(segstream_outages_total{J}[R]))", "waited: {{kind}}")
    refused = query("sum(increase(segstream_snapshots_refused_total{J}[R]))", "models refused")
    said = "A failure now and then is normal, at rebalances and restarts of brokers; a line that stays up is not."
    return over_time("Failures", said, "short", commits, kinds, refused)


def _versions() -> lines.Panel:
    published = query("max(segstream_model_version{J})", "published")
    slowest = query("min(segstream_worker_model_version{J})", "slowest worker")
    said = "Version of the newest model, and of the one that the slowest worker decides with."
    return over_time("Model version", said, "none", published, slowest)


def _ages() -> lines.Panel:
    model = query("time() - max(segstream_model_timestamp_seconds{J} > 0)", "model")
    floor = query("max(segstream_journal_floor_age_seconds{J})", "journal that a restore needs")
    said = "A model that grows old learns nothing. The journal must be kept longer than a restore needs."
    return over_time("Ages", said, "s", model, floor)


def _macro() -> lines.Panel:
    buckets = "sum by (le) (rate(segstream_macro_step_seconds_bucket{J}[R]))"
    slow = query(f"histogram_quantile(0.99, {buckets})", "99 of 100")
    return over_time("Model step", "How long it takes to group anew and to publish that.", "s", slow)


def _cpu() -> lines.Panel:
    cpu = query("sum by (instance) (rate(process_cpu_seconds_total{J}[R]))", "{{instance}}")
    return over_time("CPU", "Cores that each process keeps busy; one is the most it can use.", "short", cpu)


def _memory() -> lines.Panel:
    memory = query("max by (instance) (process_resident_memory_bytes{J})", "{{instance}}")
    return over_time("Memory", "Resident memory of each process.", "bytes", memory)


def _mean(histogram: str, by: str = "") -> str:
    return " / ".join(f"sum{by}(rate({histogram}_{part}{{J}}[R]))" for part in ("sum", "count"))
