"""What a person said of the segments, in words."""

from __future__ import annotations

from stream.contracts.segments import Said


def said_words(deed: str, segment: str, said: Said) -> str:
    """What was said.

    >>> said_words("merge", "s2", Said("merge", "ann", "", True, "", into_id="s5"))
    'merge s2 into s5'
    >>> said_words("rename", "s3", Said("rename", "ann", "", True, "", name="early birds"))
    "rename s3 'early birds'"
    >>> said_words("rollback", "", Said("rollback", "", "", True, "", version=7))
    'rollback 7'
    """
    parts = [deed, segment, str(said.version or ""), f"into {said.into_id}" * bool(said.into_id)]
    parts.append(f"'{said.name}'" if said.name else "")
    return " ".join(part for part in parts if part)
