"""``segstream audit``: do journal, learner, view and change topic tell the same story? Read-only, but for a repair.

The stream must be quiet: topics are read one after the other, and only what stands still has one cut.
"""

from consumers.auditing.repairing import repair
from consumers.auditing.report import Part, Repaired
from consumers.auditing.run import audit

__all__ = ["Part", "Repaired", "audit", "repair"]
