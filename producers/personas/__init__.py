"""Personas: a simulator of customers whose true segment is known, with heavy tails and scheduled drift."""

from producers.personas.cast import CATEGORIES, DRIFT, GONE, Birth, Death, Persona, Shift
from producers.personas.plan import PersonasPlan
from producers.personas.simulation import Personas, TruthRow

__all__ = [
    "CATEGORIES",
    "DRIFT",
    "GONE",
    "Birth",
    "Death",
    "Persona",
    "Personas",
    "PersonasPlan",
    "Shift",
    "TruthRow",
]
