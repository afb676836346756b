"""The cast of a streaming service: one order is one sitting, one view is a browse that played nothing.

Its amount is hours watched, its items are titles started, its discount is the hours left unwatched of them, its
categories are the genres, and "private label" is what the service produced itself.
"""

from __future__ import annotations

from producers.personas.cast import Birth, Cast, Death, Persona, Shift

_PERSONAS = (
    #                              gap hours /title unf own wkend even  DRA COM KID SPO NEW DOC REA ANI browse
    Persona("series binge", 1.3, 2.6, 0.8, 0.08, 0.55, 0.42, 0.75, (52, 16, 1, 1, 1, 6, 15, 8), 0.3),
    Persona("film night", 4.5, 2.0, 1.7, 0.20, 0.20, 0.62, 0.85, (44, 24, 3, 4, 1, 18, 3, 3), 1.5),
    Persona("children first", 1.2, 1.3, 0.4, 0.30, 0.35, 0.40, 0.25, (6, 12, 70, 2, 1, 5, 3, 1), 0.2),
    Persona("match day", 3.0, 2.2, 1.6, 0.12, 0.06, 0.68, 0.60, (6, 6, 1, 72, 9, 3, 3, 0), 0.1),
    Persona("in the background", 1.1, 1.6, 0.6, 0.50, 0.15, 0.28, 0.28, (6, 24, 2, 7, 34, 6, 21, 0), 0.4),
    Persona("curious", 2.4, 1.1, 0.9, 0.25, 0.25, 0.34, 0.62, (15, 4, 1, 2, 16, 56, 4, 2), 1.2),
    Persona("anime fan", 1.8, 1.7, 0.4, 0.10, 0.42, 0.44, 0.70, (10, 6, 4, 1, 0, 3, 2, 74), 0.6),
)

_ON_THE_MOVE = Persona("on the move", 1.5, 0.5, 0.5, 0.45, 0.25, 0.15, 0.35, (12, 10, 1, 4, 30, 38, 4, 1), 0.5)
"""What the curious turn into."""

STREAMING = Cast(
    name="streaming",
    categories=("DRAMA", "COMEDY", "KIDS", "SPORT", "NEWS", "DOCUMENTARY", "REALITY", "ANIME"),
    personas=_PERSONAS,
    shares=(0.20, 0.16, 0.17, 0.15, 0.17, 0.15),
    drift=(
        Shift(day=120, persona=5, into=_ON_THE_MOVE),
        Birth(day=180, persona=6, share=0.12, over_days=30),
        Death(day=260, persona=1),
    ),
    opens_hour=6,
    closes_hour=24,
    christmas_orders=0.3,
    christmas_amounts=0.2,
    concentration=3.0,  # a sitting is of few genres
)
