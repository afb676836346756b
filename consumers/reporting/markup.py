"""HTML and SVG as a tree of elements. Text is text: there is no way to put markup in but by an element."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from consumers.printable import safe

_VOID = frozenset({"meta"})


@dataclass(frozen=True)
class Element:
    """One element. ``str`` of it is its HTML."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Element | str, ...]

    def __str__(self) -> str:
        return "".join(_pieces(self))


def el(tag: str, *children: Element | str | None, **attributes: object) -> Element:
    """An element; ``None`` is left out. Trailing underscores of attributes go, others are hyphens.

    >>> str(el("p", "<b> & ", el("b", "x"), None, class_="a\\"b", text_anchor="end", hidden=None))
    '<p class="a&quot;b" text-anchor="end">&lt;b&gt; &amp; <b>x</b></p>'
    """
    said = tuple(
        (name.rstrip("_").replace("_", "-"), str(value)) for name, value in attributes.items() if value is not None
    )
    return Element(tag, said, tuple(child for child in children if child is not None and child != ""))


def style(css: str) -> Element:
    """A style sheet of ours. Raises ``ValueError`` if it could end the element it stands in."""
    if "<" in css:
        raise ValueError("a style sheet has no '<'")
    return el("style", css)


def _pieces(element: Element) -> Iterator[str]:
    attributes = "".join(f' {name}="{escape(safe(value))}"' for name, value in element.attributes)
    yield f"<{element.tag}{attributes}>"
    for child in element.children:
        if isinstance(child, Element):
            yield from _pieces(child)
        else:
            yield child if element.tag == "style" else escape(safe(child))
    if element.tag not in _VOID:
        yield f"</{element.tag}>"
