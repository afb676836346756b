"""What a terminal of 100 columns shows."""

from __future__ import annotations

from io import StringIO

from rich.console import Console, RenderableType

WIDTH = 100


def shown(renderable: RenderableType, width: int = WIDTH) -> list[str]:
    """The lines, without colours and trailing blanks."""
    console = Console(width=width, record=True, file=StringIO())
    console.print(renderable)
    return [line.rstrip() for line in console.export_text().splitlines()]


def coloured(renderable: RenderableType) -> str:
    """The very characters that are sent."""
    console = Console(width=WIDTH, force_terminal=True, color_system="256")
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()
