from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.printable import safe
from consumers.reporting.markup import el, style


class Read(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(), st.text())
def test_whatever_is_said_is_text(text: str, label: str) -> None:
    read = Read(str(el("p", text, aria_label=label)))
    assert (read.tags, read.text, read.attributes) == (["p"], safe(text), [("aria-label", safe(label))])


def test_what_is_empty_is_left_out_and_void_elements_are_not_closed() -> None:
    assert str(el("p", None, "", title=None)) == "<p></p>"
    assert str(el("meta", charset="utf-8")) == '<meta charset="utf-8">'


def test_a_style_sheet_is_not_escaped_and_cannot_end_itself() -> None:
    assert str(style("a > b { content: '&' }")) == "<style>a > b { content: '&' }</style>"
    with pytest.raises(ValueError, match="no '<'"):
        style("</style><script>")
