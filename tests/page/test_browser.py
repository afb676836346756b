"""The page in a real Chromium: what people see, with our own policy in force."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.twins import Twins, Wall
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from tests.browsing import Browser, Page, Seen, chromium, expect, serious_of
from tests.consumers.shop import moved_customer
from tests.page.served import Served
from tests.page.shops import TOKEN, tree

HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;{{7*7}}"
PLAN = PersonasPlan(customers=150, days=90, seed=3)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    twins = Twins(tree(model={"warmup_customers": 60, "segments": 4}), Wall(time.time()))
    served = Served(twins)
    twins.send(Personas(PLAN))
    served.happen()
    served.start()
    yield served
    served.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    yield page
    page.close()


def order(customer: str, number: int, at: str = "2023-04-15T10:00:00Z") -> Encoded:
    event = {"event_id": f"e{number}", "customer_id": customer, "type": "order", "occurred_at": at, "amount": 20}
    return Encoded(customer.encode(), json.dumps(event).encode(), 0)


def opened(page: Page, served: Served, more: str = "") -> Seen:
    seen = Seen(page, served.url)
    page.goto(served.url + more)
    expect(page.locator("#sentence")).to_contain_text("active customers in 4 segments")
    return seen


def test_a_newcomers_three_questions_are_answered_without_scrolling(page: Page, served: Served) -> None:
    seen = opened(page, served)
    assert re.fullmatch(
        r"\d+ active customers in 4 segments, up to date, events up to 2023-\S+, .*mix .*",
        page.locator("#sentence").inner_text(),
    )
    expect(page.locator("#segments tbody tr")).to_have_count(4)
    expect(page.locator("#health .ill")).to_have_count(0)
    expect(page.locator("#shares canvas")).to_be_visible()
    expect(page.locator("#map svg circle[class^=seg]")).not_to_have_count(0)
    for part in ("#sentence", "#health", "#segments tbody tr:last-child", "#map svg", "#shares canvas", "#flows table"):
        box = page.locator(part).first.bounding_box()
        assert box is not None, part
        assert box["y"] + box["height"] <= 900, part
    assert (seen.complaints, seen.elsewhere) == ([], [])


def test_a_change_is_seen_within_two_seconds_of_its_event(page: Page, served: Served) -> None:
    opened(page, served)
    seconds = []
    for number in range(3):
        began = time.monotonic()
        served.happen(order(f"newcomer-{number}", number))
        expect(page.locator("#feed")).to_contain_text(f"newcomer-{number}", timeout=5_000)
        seconds.append(time.monotonic() - began)
    print(f"seen after {', '.join(f'{s:.2f}' for s in seconds)} s")
    assert sorted(seconds)[1] < 2.0  # a shared machine may stall once


def test_a_hostile_id_is_text(page: Page, served: Served) -> None:
    seen = opened(page, served)
    page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
    served.happen(order(HOSTILE, 77))
    button = page.locator("#feed button.link", has_text="onerror")
    expect(button).to_have_text(HOSTILE)
    button.click()
    expect(page.locator("#lookup h3").first).to_have_text(HOSTILE)
    assert page.locator("main img").count() == 0
    assert (seen.complaints, seen.elsewhere) == ([], [])


def test_a_customer_is_found_with_why_and_history_and_an_unknown_one_is_not(page: Page, served: Served) -> None:
    opened(page, served)
    customer = moved_customer(served.twins, 3)
    page.get_by_label("Customer id").fill(customer)
    page.keyboard.press("Enter")
    answer = page.locator("#lookup .answer")
    expect(answer).to_contain_text("since")
    expect(answer).to_contain_text("History")
    expect(answer.locator("table tbody tr")).to_have_count(len(served.twins.settings.customers.features))
    page.get_by_label("Customer id").fill("nobody")
    page.keyboard.press("Enter")
    expect(answer).to_contain_text("customer 'nobody' is not known")


def test_a_server_that_goes_is_said_to_be_gone_and_one_that_comes_back_is_found(page: Page, served: Served) -> None:
    opened(page, served)
    served.stop()
    expect(page.locator("#connection")).to_contain_text("disconnected since", timeout=10_000)
    expect(page.locator("#announcement")).to_contain_text("disconnected", timeout=10_000)
    served.start()
    expect(page.locator("#connection")).to_contain_text("live, as of", timeout=20_000)
    expect(page.locator("#sentence")).to_contain_text("active customers in 4 segments", timeout=10_000)


def test_the_feed_can_be_held(page: Page, served: Served) -> None:
    opened(page, served)
    page.get_by_role("button", name="Pause").click()
    served.happen(order("later", 200))
    expect(page.locator("#feed .takeaway")).to_contain_text("more since then")
    assert page.locator("#feed", has_text="later").count() == 0
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#feed")).to_contain_text("later")


def test_a_segment_is_renamed_with_the_token_of_the_address(page: Page, served: Served) -> None:
    seen = opened(page, served, f"#token={TOKEN.replace(' ', '%20')}")
    assert page.url == served.url
    page.get_by_role("button", name="name s1", exact=True).click()
    page.get_by_label("New name").fill("Early <b>birds</b>")
    page.get_by_label("Who says so").fill("ann")
    page.keyboard.press("Enter")
    expect(page.locator("dialog [role=status]")).to_have_text("rename of s1 told; it shows with the next model")
    page.keyboard.press("Escape")
    served.happen(*(event for event, _ in zip(Personas(PersonasPlan(customers=150, days=9)), range(300), strict=False)))
    expect(page.locator(".card h3").first).to_have_text("s1 Early <b>birds</b>")
    expect(page.locator("#timeline")).to_contain_text("renamed by ann")
    assert seen.complaints == []


def test_the_first_paint_comes_within_a_second(page: Page, served: Served) -> None:
    script = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
    milliseconds = []
    for _ in range(3):
        opened(page, served)
        milliseconds.append(page.evaluate(script))
    print(f"first paint after {', '.join(f'{ms:.0f}' for ms in milliseconds)} ms")
    assert sorted(milliseconds)[1] < 1_000  # a shared machine may stall once


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(
    browser: Browser, served: Served, scheme: Any, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    opened(page, served)
    page.get_by_label("Customer id").fill(moved_customer(served.twins, 2))
    page.keyboard.press("Enter")
    expect(page.locator("#lookup .answer")).to_contain_text("History")
    assert serious_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_motion_is_left_out_for_who_does_not_want_it(browser: Browser, served: Served) -> None:
    page = browser.new_page(reduced_motion="reduce")
    opened(page, served)
    script = "node => getComputedStyle(node).transitionDuration"
    assert page.locator("#map svg circle").first.evaluate(script) == "0s"
    page.close()


def test_everything_can_be_reached_by_keyboard(page: Page, served: Served) -> None:
    opened(page, served)
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent || document.activeElement.name"))
    assert {"to the content", "All features", "Name", "Pause", "customer", "Look up"} <= reached
