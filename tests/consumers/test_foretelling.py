"""What is foretold of a proposal from every customer is what the sweep then does, and nothing is written for it."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from consumers import desk
from consumers.foretelling import foretold
from consumers.standing import Standing, standing
from stream.contracts.changes import decode_change
from stream.customer.state import segment_id
from stream.model.proposals import Flows, moved_share
from tests.consumers.test_desk import Shop


@pytest.fixture
def asked() -> Shop:
    """A proposal waits, and accepting it would move somebody."""
    shop = Shop(regroup="propose", max_regroup=0.0)
    shop.live(1500)
    for _ in range(20):
        if moved_share(_foretold(shop, _standing(shop))):
            break
        shop.live(100)
    return shop


def _foretold(shop: Shop, found: Standing) -> Flows:
    if found.docket.waiting is None:
        return {}
    return foretold(shop.twins.settings, shop.features, shop.twins.store.reader, found.record, range(4))


def test_accepted_it_comes_as_foretold(asked: Shop) -> None:
    found = _standing(asked)
    waiting = found.docket.waiting
    assert waiting is not None
    flows = _foretold(asked, found)
    assert sum(sum(row.values()) for row in flows.values()) == sum(
        bool(row["id"]) for _, row in asked.twins.store.reader.customers()
    )
    due = Counter({(segment_id(a), segment_id(b)): n for a, row in flows.items() for b, n in row.items() if a != b})
    told = len(list(asked.twins.changes()))
    asked.tell("accept", version=waiting.version)
    asked.live(1)
    changes = [decode_change(value) for value in asked.twins.changes()]
    swept = [c for c in changes if c.model_version > found.snapshot.version and c.trigger_event_id is None]
    moved = [(c.previous.id, c.current.id) for c in swept if c.previous and c.current and c.previous.id != c.current.id]
    assert len(changes) - told >= len(moved) > 0
    assert sum((Counter(moved) - due).values()) + sum((due - Counter(moved)).values()) <= 1


def test_foretelling_changes_nothing_and_says_the_same_again(asked: Shop) -> None:
    found = _standing(asked)
    once, again = _foretold(asked, found), _foretold(asked, found)
    assert once == again
    assert _standing(asked).record == found.record
    assert asked.is_sound()
    exact = found.foretelling(once).docket.waiting
    assert exact is not None
    assert exact.flows == once


def test_shown_exactly_is_shown_with_what_is_foretold(
    asked: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found, tree = _standing(asked), asked.twins.settings
    flows = _foretold(asked, found)
    monkeypatch.setattr(desk, "_standing", lambda settings: found)
    monkeypatch.setattr(desk, "topic_identity", lambda settings, topic: ("id", 4))
    monkeypatch.setattr(desk, "RedisReader", lambda settings: asked.twins.store.reader)
    desk.show(tree, estimate=False, as_json=True)
    assert json.loads(capsys.readouterr().out)["proposal"]["moved_share"] == moved_share(flows)
    desk.show(tree, estimate=True, as_json=True)
    estimate = json.loads(capsys.readouterr().out)["proposal"]
    assert not estimate["exact"]
    assert found.docket.waiting is not None
    assert estimate["moved_share"] == moved_share(found.docket.waiting.flows)


def test_without_a_proposal_there_is_nothing_to_foretell() -> None:
    shop = Shop()
    shop.live(1500)
    found = _standing(shop)
    assert found.foretelling({1: {2: 3}}).docket.waiting is None
    with pytest.raises(ValueError, match="no proposal waits"):
        foretold(shop.twins.settings, shop.features, shop.twins.store.reader, found.record, range(4))


def _standing(shop: Shop) -> Standing:
    return standing(shop.twins.settings, shop.features, shop.tail)
