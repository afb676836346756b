"""The file: whole, without anything from elsewhere, and text where data is text; also in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consumers.printable import safe
from consumers.reporting.document import document
from consumers.reporting.facts import facts_of
from consumers.reporting.material import Material
from stream.contracts.segments import LedgerKind
from tests.browsing import Browser, Seen, chromium, expect, serious_of
from tests.consumers.shop import quiet_shop
from tests.reporting.making import DAY, HOSTILE, drift, entry, gathered

WRITTEN = "2024-05-02 09:14"


def hostile(material: Material, begin: str) -> Material:
    """The same, with customers, segments and whoever speaks called as nobody should be."""
    profiles = {id_: {**profile, "name": HOSTILE} for id_, profile in material.profiles.items()}
    changes = [replace(change, customer_id=HOSTILE) for change in material.changes]
    ledger = [
        *material.ledger,
        entry(LedgerKind.RENAMED, "s1", HOSTILE, begin, name=HOSTILE),
        drift("begins", f"event.{HOSTILE}", begin),
        drift("ends", "share", begin),
    ]
    return replace(material, profiles=profiles, changes=changes, ledger=ledger)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By name: a fortnight of a shop, the same with hostile names, and an empty day."""
    folder = tmp_path_factory.mktemp("reports")
    material, wanted = gathered(quiet_shop(), hours=24 * 14)
    made = {
        "usual": facts_of(material, wanted, 40),
        "hostile": facts_of(hostile(material, wanted.to_json()["begins"]), wanted, 40),
        "empty": facts_of(Material(), DAY, 1_000),
    }
    for name, facts in made.items():
        (folder / f"{name}.html").write_text(document(facts, WRITTEN), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_the_file_needs_nothing_from_elsewhere(files: dict[str, Path]) -> None:
    for file in files.values():
        text = file.read_text(encoding="utf-8")
        assert text.startswith('<!doctype html>\n<html lang="en">')
        assert "<script" not in text
        assert "://" not in text
        assert "url(" not in text
        assert " src=x" not in text.replace("&lt;img src=x", "")
        assert len(text) < 200_000


def test_an_empty_day_says_so_in_every_section(files: dict[str, Path]) -> None:
    text = files["empty"].read_text(encoding="utf-8")
    for said in ("no customers yet", "no segments yet", "nobody moved", "nothing drifts", "nothing has been processed"):
        assert said in text
    assert "None" not in text


@pytest.mark.parametrize("name", ["usual", "hostile", "empty"])
@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1440, "light"), (1440, "dark")])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(
    browser: Browser, files: dict[str, Path], name: str, width: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    address = files[name].as_uri()
    seen = Seen(page, address)
    page.goto(address)
    assert serious_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (seen.complaints, seen.elsewhere) == ([], [])
    page.close()


def test_hostile_names_are_text(browser: Browser, files: dict[str, Path]) -> None:
    page = browser.new_page()
    address = files["hostile"].as_uri()
    seen = Seen(page, address)
    page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
    page.goto(address)
    expect(page.locator("#cards h3").first).to_have_text(f"s1 {safe(HOSTILE)}")
    expect(page.locator("#history")).to_contain_text(safe(HOSTILE))
    expect(page.locator("#drift")).to_contain_text(safe(HOSTILE))
    expect(page.locator("#examples tbody td").first).to_contain_text("<img src=x onerror")
    assert page.locator("img, script").count() == 0
    assert (seen.complaints, seen.elsewhere) == ([], [])
    page.close()


def test_it_prints_on_white_paper_and_whole(browser: Browser, files: dict[str, Path]) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(files["usual"].as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    colour = "getComputedStyle(document.documentElement).getPropertyValue('--panel').trim()"
    assert page.evaluate(colour) == "#ffffff"
    assert page.locator("#flows .chart.wide").is_visible()
    assert page.pdf().startswith(b"%PDF")
    page.close()


def test_no_label_of_a_drawing_is_cut_off(browser: Browser, files: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 900})
    page.goto(files["usual"].as_uri())
    boxes = "texts => texts.map(text => [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()])"
    for width in (360, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        found = [pair for pair in page.locator(".chart text").evaluate_all(boxes) if pair[1]["width"]]
        assert len(found) > 10
        assert [t for t, svg in found if t["left"] < svg["left"] - 1 or t["right"] > svg["right"] + 1] == []
    page.close()
