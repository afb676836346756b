"""The cast of a shop that sells nearly everything: one order is one basket."""

from __future__ import annotations

from producers.personas.cast import Birth, Cast, Death, Persona, Shift

_PERSONAS = (
    #                                gap basket price disc  priv  wkend even  GRO FRE DRI HOU BEA FAS ELE TOY
    Persona("weekly family shop", 7.0, 75.0, 3.5, 0.20, 0.35, 0.60, 0.30, (45, 25, 8, 12, 3, 3, 0, 4)),
    Persona("daily fresh", 2.2, 16.0, 2.5, 0.05, 0.15, 0.28, 0.60, (20, 65, 8, 3, 2, 1, 0, 1)),
    Persona("bargain hunter", 8.0, 38.0, 2.5, 0.42, 0.60, 0.20, 0.15, (45, 10, 10, 25, 6, 2, 0, 2)),
    Persona("after work", 4.0, 22.0, 4.0, 0.06, 0.10, 0.15, 0.85, (35, 15, 40, 3, 3, 2, 1, 1)),
    Persona("weekend gourmet", 10.0, 85.0, 9.0, 0.05, 0.05, 0.80, 0.40, (15, 45, 30, 3, 3, 3, 1, 0)),
    Persona("big stock-up", 22.0, 160.0, 6.0, 0.25, 0.40, 0.45, 0.20, (25, 4, 12, 45, 6, 4, 2, 2)),
    Persona("style and screens", 9.0, 60.0, 18.0, 0.15, 0.08, 0.35, 0.65, (6, 2, 5, 6, 28, 30, 20, 3)),
)

_BARGAINS_ONLINE = Persona("bargains online", 5.0, 30.0, 4.0, 0.30, 0.35, 0.30, 0.75, (25, 5, 10, 20, 15, 15, 5, 5))
"""What the bargain hunter turns into."""

RETAIL = Cast(
    name="retail",
    categories=("GROCERY", "FRESH", "DRINKS", "HOUSEHOLD", "BEAUTY", "FASHION", "ELECTRONICS", "TOYS"),
    personas=_PERSONAS,
    shares=(0.20, 0.13, 0.19, 0.17, 0.17, 0.14),
    drift=(
        Shift(day=120, persona=2, into=_BARGAINS_ONLINE),
        Birth(day=180, persona=6, share=0.12, over_days=30),
        Death(day=260, persona=3),
    ),
)
