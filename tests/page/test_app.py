"""The page as a web application, over the twins."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import quote

import pytest

import consumers.page
from consumers.page.hub import WAITING, Full, Hub
from consumers.twins import Twins
from tests.consumers.shop import moved_customer, quiet_shop, settings
from tests.page.asgi import ask
from tests.page.shops import TOKEN, Watched, tree

STATIC = Path(consumers.page.__file__).parent / "static"


@pytest.fixture(scope="module")
def shop() -> Watched:
    watched = Watched(quiet_shop(tree()))
    watched.look()
    return watched


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/static/page.js", "/api/snapshot", "/api/history", "/nothing"])
def test_every_answer_forbids_what_is_not_ours(shop: Watched, path: str) -> None:
    answer = ask(shop.page.app, path)
    assert answer.status == (404 if path == "/nothing" else 200)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_another_name_for_this_machine_gets_nothing(shop: Watched) -> None:
    assert ask(shop.page.app, "/api/snapshot", headers={"host": "evil.example:8642"}).status == 421
    assert ask(shop.page.app, "/api/snapshot", headers={"host": "localhost:8642"}).status == 200


def test_behind_another_address_it_answers_to_the_names_that_it_was_given() -> None:
    page = {"token": TOKEN, "host": "0.0.0.0", "names": "127.0.0.1,segments.example"}  # noqa: S104
    app = Watched(Twins(settings(page=page))).page.app
    assert ask(app, "/favicon.ico", headers={"host": "segments.example:8642"}).status == 200
    assert ask(app, "/favicon.ico", headers={"host": "evil.example:8642"}).status == 421


def test_the_page_has_no_inline_script_or_style_and_names_no_other_host() -> None:
    for path in [*STATIC.glob("*.html"), *STATIC.glob("*.js"), *STATIC.glob("*.css")]:
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, path
        assert "innerHTML" not in text, path
        assert "style=" not in text, path
        assert len(text.splitlines()) < 200, path


def test_what_is_vendored_has_its_licence() -> None:
    assert "MIT License" in (STATIC / "vendor" / "uPlot.LICENSE").read_text()


def test_the_stream_begins_with_the_state_as_it_is(shop: Watched) -> None:
    answer = ask(shop.page.app, "/api/events", enough=2)
    retry, event = answer.body.decode().split("\n\n")[:2]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    assert retry == "retry: 2000"
    id_, kind, data = event.split("\n")
    assert (id_[:4], kind) == ("id: ", "event: snapshot")
    assert json.loads(data.removeprefix("data: "))["status"]["kind"] == "ok"
    assert shop.page.hub.clients == 0


def test_who_is_slow_misses_the_oldest_and_who_is_too_many_is_refused() -> None:
    async def run() -> None:
        hub = Hub(lambda: b"{}", 1)
        queue = hub.join()
        for number in range(5):
            hub.publish(str(number).encode())
        assert queue.qsize() == WAITING
        assert b"data: 3" in queue.get_nowait()
        with pytest.raises(Full):
            hub.join()

    asyncio.run(run())
    full = Watched(Twins(tree()), most_clients=0)
    answer = ask(full.page.app, "/api/events")
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")


def test_a_customer_is_told_with_reasons_and_history(shop: Watched) -> None:
    customer = moved_customer(shop.twins, 3)
    said = ask(shop.page.app, "/api/customer", f"id={quote(customer)}").json
    assert said["customer"] == customer
    assert said["changes"][0]["version"] == int(said["version"])
    assert said["changes"][0]["reasons"]
    assert all(len(row) == 5 for row in said["features"])


@pytest.mark.parametrize("customer", ["nobody", "", "<img src=x onerror=alert(1)>", "\udcff", "a/../b"])
def test_an_unknown_customer_is_said_to_be_so(shop: Watched, customer: str) -> None:
    answer = ask(shop.page.app, "/api/customer", f"id={quote(customer, errors='surrogateescape')}")
    assert answer.status == 404
    assert "is not known" in answer.json["error"]


def test_every_feature_of_a_segment(shop: Watched) -> None:
    id_ = min(shop.twins.store.reader.segments())
    rows = ask(shop.page.app, "/api/segment", f"id={id_}").json["features"]
    assert len(rows) == len(shop.twins.settings.customers.features)
    assert ask(shop.page.app, "/api/segment", "id=s99").status == 404


def test_health_says_what_does_not_answer(shop: Watched) -> None:
    assert ask(shop.page.app, "/healthz").json == {"ok": True, "wrong": []}
    broken = Watched(Twins(tree()))
    broken.page.live._store_failed("Redis is gone")
    answer = ask(broken.page.app, "/healthz")
    assert (answer.status, answer.json["wrong"]) == (503, ["Redis is gone"])


def rename(shop: Watched, deed: str = "rename", token: str | None = TOKEN, body: object = None) -> tuple[int, str]:
    said = {"segment": "s1", "name": "early birds", "by": "ann"} if body is None else body
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    answer = ask(shop.page.app, f"/api/segments/{deed}", "", "POST", headers, json.dumps(said).encode())
    return answer.status, answer.json.get("done") or answer.json["error"]


def test_only_who_has_the_token_may_name(shop: Watched) -> None:
    assert rename(shop, token=None) == (401, "this is not the token")
    assert rename(shop, token="let me name then")[0] == 401
    closed = Watched(Twins(tree().model_copy(update={"page": tree().page.model_copy(update={"token": None})})))
    assert rename(closed, token="None")[0] == 403
    form = {"authorization": f"Bearer {TOKEN}", "content-type": "text/plain"}
    assert ask(shop.page.app, "/api/segments/rename", "", "POST", form, b"{}").status == 400


@pytest.mark.parametrize(
    ("deed", "body", "why"),
    [
        ("rename", {"segment": "s99", "name": "x"}, "there is no segment 's99'"),
        ("rename", {"segment": "s1", "name": " "}, "a name has 1 to 60 bytes"),
        ("rename", {"segment": "s1"}, "say the new name"),
        ("rename", {"segment": 1, "name": "x"}, "say segment, name and by as text"),
        ("rename", {"segment": "s1", "name": "x" * 3000}, "send one JSON object"),
        ("rename", [], "send one JSON object"),
        ("pin", {"segment": "s99"}, "there is no segment 's99'"),
    ],
)
def test_what_cannot_be_named_is_refused_with_the_reason(shop: Watched, deed: str, body: object, why: str) -> None:
    status, said = rename(shop, deed, body=body)
    assert status == 400
    assert why in said


def test_a_name_given_on_the_page_is_the_segments_name() -> None:
    twins = quiet_shop(tree())
    shop = Watched(twins)
    assert rename(shop)[0] == 200
    lockstep = twins.lockstep()
    for _ in range(5):
        lockstep._owner.run_once(timeout_seconds=0.01)
    lockstep.close()
    shop.look()
    assert next(s["name"] for s in shop.said["segments"] if s["id"] == "s1") == "early birds"
    assert any("renamed by ann" in entry["text"] for entry in shop.said["ledger"])
