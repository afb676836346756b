"""From data to what a terminal shows. Pure: rich renderables out, nothing printed, no markup ever parsed."""

from consumers.showing.changes import changes_table
from consumers.showing.segments import segments_table, segments_words

__all__ = ["changes_table", "segments_table", "segments_words"]
