"""An analyst's word from the command line to the customer's page, on the twins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from consumers import overriding
from consumers.cli import app
from consumers.dossier import Dossier, dossier
from consumers.inspecting import matching
from consumers.overriding import Word, refuse, said, until_from, write
from consumers.showing.customer import customer_page
from consumers.twins import Twins
from producers.writer import MemoryWriter
from stream.customer.features import FeatureSet
from stream.errors import SegstreamError, SettingsError
from stream.view.memory_store import MemoryStore
from tests.consumers.shop import moved_customer, quiet_shop, settle, tail
from tests.consumers.showing.terminal import shown

AT_MS = 1_790_000_000_000
"""The analyst's now, years behind the shop's last event."""


@pytest.fixture(scope="module")
def shop() -> Twins:
    return quiet_shop()


def of(twins: Twins, customer: str) -> Dossier:
    tree, features = twins.settings, FeatureSet(twins.settings.customers)
    topics = tree.topics
    reader = twins.store.reader
    return dossier(reader, tail(twins), customer, topic=topics.changes, features=features, partitions=topics.partitions)


def say(twins: Twins, word: Word) -> None:
    refuse(twins.store.reader, word, twins.settings.topics.partitions)
    write(MemoryWriter(twins.broker), twins.settings.topics.events, word)
    settle(twins)


def another_segment(twins: Twins, customer: str) -> str:
    held = twins.store.reader.segment(customer.encode())
    assert held is not None
    return next(id_ for id_ in sorted(twins.store.reader.segments()) if id_ != held["id"])


def test_a_word_is_heard_shown_and_taken_back() -> None:
    twins = quiet_shop()
    customer = moved_customer(twins)
    segment = another_segment(twins, customer)
    say(twins, Word(customer, segment, AT_MS, AT_MS + 86_400_000, "anna", "moves house"))
    page = "\n".join(shown(customer_page(of(twins, customer))))
    assert f"locked        {segment} until 2026-09-22 14:13  by anna: moves house  2026-09-21 14:13" in page
    assert "ready -> locked  override  by anna: moves house until 2026-09-22 14:13" in page
    document = of(twins, customer).to_json()
    assert document["override"] | {"event_id": ""} == {
        "event_id": "",
        "occurred_at": "2026-09-21T14:13:20.000Z",
        "segment_id": segment,
        "until": "2026-09-22T14:13:20.000Z",
        "by": "anna",
        "reason": "moves house",
        "in_force": True,
    }
    assert json.dumps(document)
    assert [row["customer_id"] for row in matching(twins.store.reader, None, "locked")] == [customer]
    say(twins, Word(customer, None, AT_MS + 1, by="bert"))
    page = "\n".join(shown(customer_page(of(twins, customer))))
    assert "last word     let go  by bert" in page
    assert "locked -> ready  override  by bert" in page
    assert list(matching(twins.store.reader, None, "locked")) == []


def test_an_unknown_segment_is_refused_and_the_known_are_named(shop: Twins) -> None:
    word = Word(moved_customer(shop), "s99", AT_MS)
    with pytest.raises(SettingsError, match=r"no segment 's99' to be held in; there are s1 \(.*\), s2 \(") as caught:
        refuse(shop.store.reader, word, shop.settings.topics.partitions)
    assert "s3 (" in str(caught.value)


def test_where_there_are_no_segments_yet_that_is_said() -> None:
    with pytest.raises(SettingsError, match="there are no segments yet"):
        refuse(MemoryStore().reader, Word("c", "s1", AT_MS), 1)


def test_nobody_enters_a_segment_that_is_leaving(shop: Twins) -> None:
    class Leaving:
        def __getattr__(self, name: str) -> Any:
            return getattr(shop.store.reader, name)

        def segments(self) -> dict[str, dict[str, Any]]:
            return {i: p | {"retiring": i == "s1"} for i, p in shop.store.reader.segments().items()}

    with pytest.raises(SettingsError, match="no segment 's1'"):
        refuse(Leaving(), Word(moved_customer(shop), "s1", AT_MS), 4)


@pytest.mark.parametrize("customer", ["nobody", "", "\udcff"])
def test_a_slip_of_the_pen_makes_no_customer(shop: Twins, customer: str) -> None:
    for segment in ("s1", None):
        with pytest.raises(SegstreamError, match="is not known"):
            refuse(shop.store.reader, Word(customer, segment, AT_MS), shop.settings.topics.partitions)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (Word("c", "s1", AT_MS, by="x" * 81), "by: "),
        (Word("c", "s1", AT_MS, reason="x" * 201), "reason: "),
        (Word("c", "s1", AT_MS, reason="two\nlines"), "reason: has a control character"),
        (Word("c", "gold", AT_MS), "segment_id: is not a segment id"),
    ],
)
def test_what_the_contract_would_refuse_is_not_written(word: Word, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        word.encoded("e")


def test_a_duration_is_from_now_and_a_time_is_a_time() -> None:
    assert [until_from(text, 5) for text in ("30s", "15m", "12h", "7d", "4w")] == [
        5 + ms for ms in (30_000, 900_000, 43_200_000, 604_800_000, 2_419_200_000)
    ]
    assert until_from("2030-01-31T12:00:00+02:00", AT_MS) == 1_896_084_000_000


@pytest.mark.parametrize("text", ["", "7", "0d", "-7d", "7 days", "tomorrow", "2030-01-31", "2030-02-30T00:00:00Z"])
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    with pytest.raises(SettingsError, match="write a time like"):
        until_from(text, AT_MS)


def test_what_is_over_is_refused() -> None:
    with pytest.raises(SettingsError, match="over already"):
        until_from("2020-01-01T00:00:00Z", AT_MS)


def test_who_says_it_is_who_is_logged_in_if_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "carla")
    assert (said("c", "s1", None, None, "").by, said("c", "s1", None, "anna", None).by) == ("carla", "anna")

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert said("c", None, None, None, None).by is None


def test_the_commands_say_what_they_did(
    shop: Twins, quiet_logging: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[Word] = []

    def tell(_settings: object, word: Word) -> str:
        told.append(replace(word, at_ms=0, until_ms=word.until_ms and word.until_ms - word.at_ms))
        return refuse(shop.store.reader, word, shop.settings.topics.partitions)

    monkeypatch.setattr(overriding, "tell", tell)
    customer = moved_customer(shop)
    options = ["--set", "profile=personas", "customer"]
    held = CliRunner().invoke(app, [*options, "override", customer, "s2", "--until", "7d", "--by", "anna"])
    assert (held.exit_code, held.stderr) == (0, "")
    assert held.stdout.startswith(f"said: customer '{customer}' is in s2 ")
    assert f"segstream customer show {customer}" in held.stdout
    gone = CliRunner().invoke(app, [*options, "release", customer, "--by", "anna", "--reason", "back"])
    assert (gone.exit_code, gone.stdout) == (0, f"said: customer '{customer}' goes where the model says\n")
    assert told == [Word(customer, "s2", 0, 604_800_000, "anna"), Word(customer, None, 0, None, "anna", "back")]
    bad = CliRunner().invoke(app, [*options, "override", customer, "s99"])
    assert (bad.exit_code, bad.stdout) == (2, "")
    assert "there are s1 (" in bad.stderr
    late = CliRunner().invoke(app, [*options, "override", customer, "s1", "--until", "soon"])
    assert (late.exit_code, "write a time" in late.stderr) == (2, True)
