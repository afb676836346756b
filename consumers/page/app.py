"""The page as a web application: static files, the stream of snapshots, the lookup, and naming segments."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from consumers.page import naming
from consumers.page.answers import Careful, names_of
from consumers.page.document import encoded
from consumers.page.hub import Full, Hub
from consumers.page.lookup import look_up
from consumers.watching.cards import features as feature_rows
from consumers.watching.live import Live
from consumers.watching.outside import Outside
from stream.customer.features import FeatureSet
from stream.errors import BrokerUnavailable, SegstreamError, StoreUnavailable
from stream.settings import Tree

STATIC = Path(__file__).parent / "static"
MOST_CLIENTS = 32
"""Each costs a connection and 50 KB a second at most."""
_LOOKUPS = 4
"""At a time: each opens connections of its own."""


class Page:
    """The application over one board."""

    def __init__(self, settings: Tree, outside: Outside, most_clients: int = MOST_CLIENTS) -> None:
        self._settings, self._outside = settings, outside
        self._features = FeatureSet(settings.customers)
        self._asking = asyncio.Semaphore(_LOOKUPS)
        self.live = Live(settings, outside)
        self.hub = Hub(self.snapshot, most_clients)
        self.app = Starlette(
            routes=[
                Route("/", self._index),
                Route("/favicon.ico", self._icon),
                Route("/healthz", self._healthz),
                Route("/api/events", self._events),
                Route("/api/snapshot", self._snapshot),
                Route("/api/history", self._history),
                Route("/api/segment", self._segment),
                Route("/api/customer", self._customer),
                Route("/api/segments/{deed}", self._name, methods=["POST"]),
                Mount("/static", StaticFiles(directory=STATIC)),
            ],
            middleware=[Middleware(Careful, hosts=names_of(settings.page))],
            lifespan=self._lifespan,
        )

    def snapshot(self) -> bytes:
        """What every browser gets now."""
        with self.live.board.lock:
            return encoded(self.live.board, self._outside.now_seconds(), self._settings.model.warmup_customers)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.live.start()
        ticking = asyncio.create_task(self.hub.run())
        try:
            yield
        finally:
            ticking.cancel()
            await asyncio.to_thread(self.live.stop)

    async def _index(self, _: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    async def _icon(self, _: Request) -> Response:
        return FileResponse(STATIC / "icon.svg")

    async def _healthz(self, _: Request) -> Response:
        board = self.live.board
        wrong = [side.error for side in (board.store, board.broker) if side.error]
        return JSONResponse({"ok": not wrong, "wrong": wrong}, 503 if wrong else 200)

    async def _events(self, _: Request) -> Response:
        try:
            queue = self.hub.join()
        except Full:
            said = {"error": f"{self.hub.clients} pages are open already, which is as many as may be"}
            return JSONResponse(said, 503, {"Retry-After": "10"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self.hub.listen(queue), media_type="text/event-stream", headers=headers)

    async def _snapshot(self, _: Request) -> Response:
        return Response(await asyncio.to_thread(self.snapshot), media_type="application/json")

    async def _history(self, _: Request) -> Response:
        with self.live.board.lock:
            points = list(self.live.board.history.points)
        return JSONResponse({"points": points})

    async def _segment(self, request: Request) -> Response:
        profile = self.live.board.store.profiles.get(request.query_params.get("id", ""))
        if profile is None:
            return JSONResponse({"error": "there is no such segment"}, 404)
        return JSONResponse({"features": feature_rows(profile)})

    async def _customer(self, request: Request) -> Response:
        customer = request.query_params.get("id", "")
        return await self._asked(look_up, self._settings, self._outside, self._features, customer, missing=404)

    async def _name(self, request: Request) -> Response:
        deed = naming.DEEDS.get(request.path_params["deed"])
        if deed is None:
            return JSONResponse({"error": "there is no such command"}, 404)
        if self._settings.page.token is None:
            return JSONResponse({"error": "nobody may: no token is set (page.token)"}, 403)
        if not naming.may(self._settings.page, request.headers.get("authorization", "")):
            return JSONResponse({"error": "this is not the token"}, 401, {"WWW-Authenticate": "Bearer"})
        said = await _said(request)
        if said is None:
            return JSONResponse({"error": "send one JSON object, as application/json"}, 400)
        return await self._asked(naming.tell, self._settings, self._outside, self._features, deed, said, missing=400)

    async def _asked(self, ask: Any, *arguments: Any, missing: int) -> Response:
        """What waits for the network, in a thread; errors of ours in their own words."""
        async with self._asking:
            try:
                found = await asyncio.to_thread(ask, *arguments)
            except (BrokerUnavailable, StoreUnavailable) as error:
                return JSONResponse({"error": str(error)}, 503)
            except SegstreamError as error:
                return JSONResponse({"error": str(error)}, missing)
        return JSONResponse({"done": found} if isinstance(found, str) else found)


async def _said(request: Request) -> dict[str, Any] | None:
    """The JSON object of a request. A form of another site cannot send one without asking first."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > naming.MOST_BYTES:
            return None
    try:
        said = json.loads(body)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
