from __future__ import annotations

import json

import pytest

from consumers.dossier import LAST_CHANGES, Dossier, dossier
from consumers.showing.customer import customer_page
from consumers.twins import Twins
from producers.orders import Encoded
from stream.customer.features import FeatureSet
from stream.customer.registers import NOTHING
from stream.customer.state import empty, pack
from stream.errors import SegstreamError
from tests.consumers.shop import home, moved_customer, quiet_shop, settle, tail, tamper
from tests.consumers.showing.terminal import shown


@pytest.fixture(scope="module")
def shop() -> Twins:
    return quiet_shop()


def of(twins: Twins, customer: str) -> Dossier:
    tree = twins.settings
    return dossier(
        twins.store.reader,
        tail(twins),
        customer,
        topic=tree.topics.changes,
        features=FeatureSet(tree.customers),
        partitions=tree.topics.partitions,
    )


def test_a_dossier_says_what_topic_and_view_say(shop: Twins) -> None:
    customer = moved_customer(shop)
    found = of(shop, customer)
    last = found.changes[0]
    assert last.current is not None
    assert (found.segment["id"], found.segment["version"]) == (last.current.id, str(last.version))
    assert len(found.changes) == min(last.version, LAST_CHANGES)
    assert [change.version for change in found.changes] == sorted(
        (change.version for change in found.changes), reverse=True
    )
    assert found.profile is not None
    assert found.profile["id"] == found.segment["id"]
    assert found.document is not None
    assert found.document["features"].keys() == found.units.keys() == found.average.keys()


def test_a_dossier_as_json_is_plain_data(shop: Twins) -> None:
    said = json.loads(json.dumps(of(shop, moved_customer(shop)).to_json()))
    assert said.keys() == {
        "customer_id",
        "segment",
        "features",
        "units",
        "profile",
        "average",
        "attributes",
        "override",
        "changes",
    }
    assert said["changes"][0]["customer_id"] == said["customer_id"]


def test_attributes_come_from_the_state() -> None:
    profile = {
        "event_id": "p1",
        "customer_id": "newcomer",
        "type": "profile",
        "occurred_at": "2023-02-01T00:00:00Z",
        "attributes": {"age": "35-44", "newsletter": True},
    }
    own = quiet_shop()
    own.send([Encoded(b"newcomer", json.dumps(profile).encode(), 0)])
    settle(own)
    assert of(own, "newcomer").to_json()["attributes"] == {"age": "35-44", "newsletter": True}


def test_every_customer_of_the_shop_has_a_page(shop: Twins) -> None:
    for customer, _ in shop.store.reader.customers():
        assert shown(customer_page(of(shop, customer.decode())))[0].startswith("customer c")


@pytest.mark.parametrize("customer", ["nobody", "", "\udcff\udcfe", "x\x1b[2J"])
def test_an_unknown_customer_is_said_to_be_unknown(shop: Twins, customer: str) -> None:
    with pytest.raises(SegstreamError, match="is not known"):
        of(shop, customer)


def test_a_customer_of_a_partition_being_restored_is_not_called_unknown() -> None:
    own = quiet_shop()
    own.store.publish_status(home(own, "nobody"), "being restored")
    with pytest.raises(SegstreamError, match=r"not in the view yet: partition \d is being restored"):
        of(own, "nobody")


def test_a_closed_customer_is_said_to_be_closed() -> None:
    own = quiet_shop()
    [blob] = pack(empty(FeatureSet(own.settings.customers), 1), [NOTHING])
    tamper(own, home(own, "gone"), states={b"gone": blob})
    with pytest.raises(SegstreamError, match="was closed"):
        of(own, "gone")
