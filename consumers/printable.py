"""Other people's text, made safe to print: customer ids, attributes, names, and errors that quote them."""

from __future__ import annotations


def safe(text: str) -> str:
    """``text`` with escapes for what is not printable.

    Nothing is left that could move the cursor, change colours, break the line or reverse its direction.

    >>> safe("a\\x1b[31mb\\u202ec\\n[bold]")
    'a\\\\x1b[31mb\\\\u202ec\\\\n[bold]'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
