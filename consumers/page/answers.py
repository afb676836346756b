"""What every answer says besides its content: what a browser may do with it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream.settings import PageSettings

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def names_of(page: PageSettings) -> tuple[str, ...]:
    """The names that we answer to; empty: any.

    >>> names_of(PageSettings()), names_of(PageSettings(host="0.0.0.0"))
    (('127.0.0.1', 'localhost', '::1'), ())
    >>> names_of(PageSettings(host="0.0.0.0", names="segments.example, Localhost"))
    ('segments.example', 'localhost')
    """
    if page.names:
        return tuple(name.strip().lower() for name in page.names.split(","))
    return LOOPBACK if page.host in LOOPBACK else ()


class Careful:
    """Sets the headers, and answers only to the names that are ours: another site's name that was made to point
    to this machine (DNS rebinding) gets nothing. ``hosts`` empty: any name.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if self._hosts and _name(Headers(scope=scope).get("host", "")) not in self._hosts:
            await PlainTextResponse("this page is not served under that name", 421)(scope, receive, answered)
        else:
            await self._app(scope, receive, answered)


def _name(host: str) -> str:
    """Without its port.

    >>> _name("127.0.0.1:8642"), _name("localhost"), _name("[::1]:8642")
    ('127.0.0.1', 'localhost', '::1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
