"""``segstream migrate``: another number of input partitions, in new topics.

In place it can never change: customers would change places under their own events. So the newest state of everybody
is written again, each under the partition where its key belongs among the new ones. The old topics are only read.
"""

from consumers.migrating.run import Moved, migrate
from consumers.migrating.target import Target, target_of

__all__ = ["Moved", "Target", "migrate", "target_of"]
