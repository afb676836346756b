"""Personas: a simulator of customers whose true segment is known, with heavy tails and scheduled drift."""

from producers.personas.cast import GONE, Birth, Cast, Death, Persona, Shift
from producers.personas.casts import CASTS, cast_of
from producers.personas.plan import PersonasPlan
from producers.personas.retail import RETAIL
from producers.personas.simulation import Personas, TruthRow
from producers.personas.streaming import STREAMING
from producers.personas.telecom import TELECOM

__all__ = [
    "CASTS",
    "GONE",
    "RETAIL",
    "STREAMING",
    "TELECOM",
    "Birth",
    "Cast",
    "Death",
    "Persona",
    "Personas",
    "PersonasPlan",
    "Shift",
    "TruthRow",
    "cast_of",
]
