"""Files of orders, as shops have them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from producers.personas import Personas, PersonasPlan

PLAN = PersonasPlan(customers=120, days=120, seed=4)


def three_columns(path: Path, plan: PersonasPlan = PLAN) -> Path:
    """Customer, time and amount, as CSV; a row an order."""
    orders = [json.loads(payload) for _, payload, _ in Personas(plan)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer", "time", "amount"])
        writer.writerows([order["customer_id"], order["occurred_at"], order["amount"]] for order in orders)
    return path


def all_columns(path: Path, plan: PersonasPlan = PLAN) -> Path:
    """Everything, as JSON Lines; a row a line of a basket, items and discount on the first."""
    with path.open("w") as file:
        for _, payload, _ in Personas(plan):
            order = json.loads(payload)
            for number, line in enumerate(order["lines"]):
                head = {"household": order["customer_id"], "order": order["event_id"], "time": order["occurred_at"]}
                once = {key: 0 if number else order[key] for key in ("items", "discount")}
                file.write(json.dumps({**head, **once, **line}) + "\n")
    return path


def rows(path: Path, *said: tuple[object, ...]) -> Path:
    """Customer, time and amount of your own."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("customer", "time", "amount"), *said])
    return path
