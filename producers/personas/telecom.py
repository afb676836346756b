"""The cast of a mobile operator: one order is one session of a line as it was rated.

Its amount is the charge, its items are the megabytes it moved, its discount is what a bundle or a promotion took
off, its categories are the services, and "private label" is what stayed within the operator's own network.
"""

from __future__ import annotations

from producers.personas.cast import Birth, Cast, Death, Persona, Shift

_PERSONAS = (
    #                               gap charge /MB  promo own  wkend even  VOI DAT SMS ROA INT CON
    Persona("always online", 1.0, 1.5, 0.006, 0.30, 0.12, 0.32, 0.60, (8, 76, 2, 1, 1, 12)),
    Persona("talker", 1.5, 1.1, 0.05, 0.12, 0.55, 0.30, 0.45, (72, 14, 8, 1, 4, 1)),
    Persona("office line", 1.2, 1.7, 0.02, 0.06, 0.38, 0.12, 0.15, (55, 30, 4, 6, 5, 0)),
    Persona("traveller", 2.4, 2.8, 0.03, 0.05, 0.12, 0.32, 0.40, (22, 28, 4, 38, 6, 2)),
    Persona("family abroad", 2.8, 2.0, 0.03, 0.18, 0.15, 0.55, 0.72, (18, 14, 3, 3, 60, 2)),
    Persona("text and top-up", 3.6, 0.8, 0.02, 0.42, 0.48, 0.30, 0.48, (28, 16, 48, 1, 2, 5)),
    Persona("screen at home", 1.4, 2.6, 0.003, 0.15, 0.06, 0.45, 0.80, (3, 62, 1, 0, 1, 33)),
)

_TALKS_OVER_DATA = Persona("talks over data", 1.5, 1.1, 0.012, 0.25, 0.25, 0.30, 0.50, (25, 62, 5, 1, 4, 3))
"""What the talker turns into."""

TELECOM = Cast(
    name="telecom",
    categories=("VOICE", "DATA", "SMS", "ROAMING", "INTERNATIONAL", "CONTENT"),
    personas=_PERSONAS,
    shares=(0.20, 0.18, 0.17, 0.13, 0.14, 0.18),
    drift=(
        Shift(day=120, persona=1, into=_TALKS_OVER_DATA),
        Birth(day=180, persona=6, share=0.12, over_days=30),
        Death(day=260, persona=5),
    ),
    opens_hour=6,
    closes_hour=24,
    christmas_orders=0.15,
    christmas_amounts=0.1,
    concentration=2.5,  # a session is mostly of one service
)
