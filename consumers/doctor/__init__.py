"""``segstream doctor``: facts are collected at the edge and judged purely, each judgement with its mend."""

from consumers.doctor.checks import examine
from consumers.doctor.collecting import collect
from consumers.doctor.facts import Facts, Finding

__all__ = ["Facts", "Finding", "collect", "examine"]
