"""The naive service: what one writes in an afternoon from the same libraries, one event at a time.

Consume, validate, HGETALL, update, scale, learn, predict, HSET, produce when the label changed, count. It
keeps less than segstream does, and promises nothing: no transaction, no stable ids, no timers, no explanations.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from prometheus_client import CollectorRegistry, Counter
from pydantic import BaseModel
from redis import Redis
from river import cluster, preprocessing


class Line(BaseModel):
    """One line of a basket."""

    category: str
    amount: float
    private_label: bool = False


class Order(BaseModel):
    """One basket."""

    event_id: str
    customer_id: str
    type: str
    occurred_at: str
    amount: float
    items: float = 0.0
    discount: float = 0.0
    lines: list[Line] = []


@dataclass(frozen=True)
class Ran:
    """What a system did."""

    events: int
    changes: int
    seconds: float
    cpu_seconds: float


def run(bootstrap_servers: str, redis_url: str, topic: str, out: str, group: str, n: int) -> Ran:
    """Process ``n`` events; the clock starts with the first record in hand."""
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap_servers, group_id=group, auto_offset_reset="earliest")
    producer = KafkaProducer(bootstrap_servers=bootstrap_servers)
    redis = Redis.from_url(redis_url, decode_responses=True)
    scaler, model = preprocessing.StandardScaler(), cluster.KMeans(n_clusters=5, seed=7)
    counter = Counter("naive_events_total", "Events.", ["segment"], registry=CollectorRegistry())
    events = changes = 0
    started = cpu = 0.0
    while events < n:
        for records in consumer.poll(timeout_ms=200).values():
            for record in records:
                if not events:
                    started, cpu = time.perf_counter(), time.process_time()
                changed = _one(record.value, redis, scaler, model, producer, out, counter)
                events, changes = events + 1, changes + changed
    producer.flush()
    ran = Ran(events, changes, time.perf_counter() - started, time.process_time() - cpu)
    consumer.close()
    producer.close()
    return ran


def _one(  # type: ignore[no-untyped-def]
    value: bytes, redis: Redis, scaler, model, producer, out: str, counter: Counter
) -> bool:
    order = Order.model_validate_json(value)
    key = f"naive:{order.customer_id}"
    state = redis.hgetall(key)
    orders = float(state.get("orders", 0)) + 1
    spend = float(state.get("spend", 0)) + order.amount
    items = float(state.get("items", 0)) + order.items
    discount = float(state.get("discount", 0)) + order.discount
    private = float(state.get("private", 0)) + sum(line.amount for line in order.lines if line.private_label)
    x = {
        "orders": orders,
        "spend": spend,
        "basket": spend / orders,
        "items": items / orders,
        "discount": discount / max(spend, 1e-9),
        "private": private / max(spend, 1e-9),
    }
    scaler.learn_one(x)
    scaled = scaler.transform_one(x)
    model.learn_one(scaled)
    segment = str(model.predict_one(scaled))
    counter.labels(segment).inc()
    mapping: dict[Any, Any] = {
        "orders": orders,
        "spend": spend,
        "items": items,
        "discount": discount,
        "private": private,
        "segment": segment,
    }
    redis.hset(key, mapping=mapping)
    changed = state.get("segment") != segment
    if changed:
        producer.send(out, value=f'{{"customer":"{order.customer_id}","segment":"{segment}"}}'.encode())
    return changed
