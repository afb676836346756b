"""Mending the view: what differs is forgotten and comes back from Kafka, as after a lost store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack, closing

from consumers.build import Backend, identity_of
from consumers.model_feed import ModelFeed
from consumers.restoring import Restorer
from consumers.source import SETTLED_SECONDS
from producers.sink import Committed
from stream.contracts.partitioning import partition_of
from stream.customer.features import FeatureSet
from stream.errors import BadRecord, StoreUnavailable
from stream.settings import Tree
from stream.view.journal import NOTHING, Mark
from stream.view.store import Store, Update, Wanted

PATIENCE_SECONDS = 120.0
"""How long running workers get to restore what was wiped under them."""
_LOOK_SECONDS = 0.5


def mend_view(
    settings: Tree,
    backend: Backend,
    damaged: Iterable[int],
    strangers: Collection[bytes],
    marks: Mapping[int, Mark | None],
) -> list[str]:
    """Restore the ``damaged`` partitions and remove all of ``strangers``; says what was done.

    Workers that run do it themselves when they see that their watermark is gone; where none does, it is done here.
    Raises ``StoreUnavailable`` when somebody else wrote meanwhile, or no worker did in time.
    """
    said = []
    with ExitStack() as stack:
        store = stack.enter_context(closing(backend.store()))
        runs = backend.members(settings.kafka.group) > 0
        restorer = None if runs else _restorer(stack, settings, backend, store)
        committed = {} if runs else _committed(settings, backend, marks)
        for partition in sorted(damaged):
            mine = [s for s in strangers if partition_of(s, len(marks)) == partition]
            _forget(store, partition, mine)
            said += [f"partition {partition}: removed {len(mine)} customers that no journal knows"] if mine else []
            mark = marks[partition]
            if mark is not None and restorer is None:
                _await_workers(backend, store, partition, mark)
            elif mark is not None and restorer is not None:
                restorer.restore(partition, None, committed[partition], mark.next)
            said.append(f"partition {partition}: wiped the view, and restored it from the journal")
    return said


def _forget(store: Store, partition: int, strangers: list[bytes]) -> None:
    """Remove all keys of ``strangers``, under the watermark that there is, and then that and all private keys."""
    if strangers:
        held = store.load({partition: Wanted(())})[partition].watermark
        if not store.apply(partition, held, Update(watermark=held or b"", forgotten=strangers)):
            raise StoreUnavailable(f"partition {partition}: a worker wrote to the store during the repair; repeat it")
    store.wipe(partition)


def _await_workers(backend: Backend, store: Store, partition: int, mark: Mark) -> None:
    clocks = backend.clocks
    deadline = clocks.now_seconds() + PATIENCE_SECONDS
    while not _is_restored(store.load({partition: Wanted(())})[partition].watermark, mark):
        if clocks.now_seconds() > deadline:
            raise StoreUnavailable(
                f"partition {partition}: wiped, but no worker has restored it within {PATIENCE_SECONDS:g} s; see what "
                "its log says, or stop segstream and repeat the repair"
            )
        clocks.wait(_LOOK_SECONDS)


def _is_restored(watermark: bytes | None, mark: Mark) -> bool:
    try:
        held = None if watermark is None else Mark.from_bytes(watermark)
    except BadRecord:
        return False
    return held is not None and held.journal != NOTHING and held.sequence >= mark.sequence


def _committed(settings: Tree, backend: Backend, marks: Mapping[int, Mark | None]) -> dict[int, Committed | None]:
    with closing(backend.source(settings.topics.events, settings.kafka.group)) as source:
        return source.committed(sorted(marks))


def _restorer(stack: ExitStack, settings: Tree, backend: Backend, store: Store) -> Restorer:
    features, tail = FeatureSet(settings.customers), stack.enter_context(closing(backend.tail()))
    feed = ModelFeed(tail, settings.topics.model, features.features_id)
    feed.refresh()
    return Restorer(
        look=lambda: identity_of(settings, backend),
        features=features,
        store=store,
        tail=tail,
        journal_topic=settings.topics.journal,
        documents=settings.redis.features_document,
        names=lambda: feed.names,
        wait_seconds=SETTLED_SECONDS,
        now_seconds=backend.clocks.now_seconds,
    )
