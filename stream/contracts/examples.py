"""One example of every public message: shown in the AsyncAPI document, checked in the tests."""

from __future__ import annotations

from stream.contracts.changes import (
    Assignment,
    Because,
    Cause,
    Counterfactual,
    Membership,
    SegmentChange,
    Status,
)
from stream.contracts.payloads import AnyEvent
from stream.contracts.segments import (
    Drift,
    FeatureProfile,
    Flow,
    LedgerDetail,
    LedgerEntry,
    LedgerKind,
    ParentGroup,
    RuleCondition,
    SegmentProfile,
    SegmentRule,
    SegmentValue,
)

EVENTS: tuple[AnyEvent, ...] = (
    {
        "event_id": "basket-31198459",
        "customer_id": "household-1228",
        "type": "order",
        "occurred_at": "2017-06-03T18:20:00-04:00",
        "amount": 42.17,
        "items": 14,
        "discount": 5.31,
        "lines": [
            {"category": "GROCERY", "amount": 30.02, "private_label": True},
            {"category": "PRODUCE", "amount": 12.15},
        ],
    },
    {
        "event_id": "view-77120",
        "customer_id": "household-1228",
        "type": "view",
        "occurred_at": "2017-06-04T07:02:11.250Z",
    },
    {
        "event_id": "card-1228-2",
        "customer_id": "household-1228",
        "type": "profile",
        "occurred_at": "2017-06-04T07:05:00Z",
        "attributes": {"age": "35-44", "household_size": 4, "newsletter": True},
    },
    {
        "event_id": "anna-2017-06-04-1",
        "customer_id": "household-1228",
        "type": "override",
        "occurred_at": "2017-06-04T09:30:00Z",
        "segment_id": "s3",
        "until": "2017-07-01T00:00:00Z",
        "by": "anna",
        "reason": "moves house, will be back",
    },
    {
        "event_id": "anna-2017-06-20-1",
        "customer_id": "household-1228",
        "type": "override",
        "occurred_at": "2017-06-20T08:00:00Z",
        "segment_id": None,
        "by": "anna",
    },
)

CHANGE = SegmentChange(
    customer_id="household-1228",
    version=4,
    previous=Assignment("s2", "rare, small baskets", Status.READY),
    current=Assignment("s3", "frequent, high spend", Status.READY),
    cause=Cause.BEHAVIOUR,
    occurred_at="2017-06-03T22:20:00.000Z",
    decided_at="2017-06-03T22:20:01.042Z",
    margin=0.27,
    fit=0.81,
    atypical=False,
    membership=(Membership("s3", 0.71), Membership("s2", 0.29)),
    reasons=(Because("orders", 2.1, 6.4, "orders per 30 days", 0.64),),
    counterfactual=Counterfactual("orders", 3.9, "orders per 30 days", 6.4),
    provisional=None,
    model_version=118,
    trigger_event_id="basket-31198459",
)

_VALUE = SegmentValue(
    active=412,
    dormant=61,
    retention=0.968,
    orders=7.4,
    spend=251.6,
    conversion=0.08,
    order_value=34.0,
    clv=1472.8,
)

LEDGER_ENTRY = LedgerEntry(
    kind=LedgerKind.SPLIT,
    segment_id="s3",
    name="frequent, high spend",
    model_version=118,
    occurred_at="2017-06-03T22:20:00.000Z",
    decided_at="2017-06-03T22:20:01.040Z",
    detail=LedgerDetail((Flow("s3", "s6", 212),), "212 customers of s3 are now s6", _VALUE),
)

DRIFT_ENTRY = LedgerEntry(
    kind=LedgerKind.DRIFT,
    segment_id="",
    name="event.spend",
    model_version=131,
    occurred_at="2017-07-01T09:10:00.000Z",
    decided_at="2017-07-01T09:10:01.040Z",
    detail=LedgerDetail(
        (),
        "drift begins: spend of the orders is not what it was, since 2017-06-30T21:00:00.000Z (ewma, 1.1 of its limit)",
        drift=Drift("event.spend", "begins", "ewma", "2017-06-30T21:00:00.000Z", 1.1),
    ),
)

PROFILE = SegmentProfile(
    id="s3",
    name="frequent, high spend",
    customers=412,
    share=0.167,
    radius=1.9,
    profile={"orders": FeatureProfile(7.2, "orders per 30 days", 4.0, 1.8)},
    retiring=False,
    model_version=118,
    updated_at="2017-06-03T22:20:01.040Z",
    group=ParentGroup("g2", "frequent"),
    rule=SegmentRule(
        text="orders > 4 per 30 days and discount share < 0.1",
        conditions=(
            RuleCondition("orders", ">", 4.0, "orders per 30 days"),
            RuleCondition("discount_share", "<", 0.1, "discount per money spent"),
        ),
        right=0.88,
        precision=0.71,
        recall=0.76,
    ),
    value=_VALUE,
)
