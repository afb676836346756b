"""``segstream audit --repair``: audit, mend what the journal can mend, and audit again."""

from __future__ import annotations

from contextlib import closing

from consumers.auditing.mending_population import mend_population
from consumers.auditing.mending_view import mend_view
from consumers.auditing.report import Repaired
from consumers.auditing.run import CELLS, HOLDERS, JOURNAL, QUIET, Examined, examine
from consumers.build import Backend
from consumers.standstill import refuse_running
from stream.errors import Disagreement
from stream.settings import Tree
from stream.view.reader import Reader


def repair(settings: Tree, backend: Backend, reader: Reader, complete_since_ms: int) -> Repaired:
    """Mend view and population by the journal, which is what counts; nothing else is written.

    Raises ``Disagreement`` when the journal cannot be relied on, and ``SettingsError`` while the service runs, if the
    population has to be mended.
    """
    _, partitions = backend.identity(settings.topics.events)
    with closing(backend.tail()) as tail:
        found = examine(settings, tail, reader, partitions, complete_since_ms)
        _refuse(found)
        done: list[str] = []
        is_counted = found.holds(CELLS, HOLDERS)
        if not is_counted:
            refuse_running(backend.members, settings.kafka)
        if found.damaged:
            done += mend_view(settings, backend, found.damaged, found.strangers, found.marks)
        if not is_counted:
            done += mend_population(settings, backend, tail, found)
        if done:
            found = examine(settings, tail, reader, partitions, complete_since_ms)
    return Repaired(done, found.parts)


def _refuse(found: Examined) -> None:
    for part in found.parts:
        if part.check in (QUIET, JOURNAL) and not part.holds:
            raise Disagreement(f"nothing was repaired, for there is no telling what is right: {part.first[0]}")
