"""What is simulated: how many, for how long, and what happens to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from producers.orders import epoch_ms
from producers.personas.cast import Birth, Cast
from producers.personas.retail import RETAIL
from stream.errors import SettingsError

DAY_MS = 86_400_000


@dataclass(frozen=True)
class PersonasPlan:
    """The settings of a simulation. The same plan gives the same bytes.

    Raises ``SettingsError`` when a number makes no sense.
    """

    cast: Cast = RETAIL
    """Who the customers are, and what happens to them."""
    customers: int = 2500
    days: int = 365
    seed: int = 0
    start: date = date(2023, 1, 1)
    """First day, UTC; long enough ago that no event is from the future."""
    newcomer_share: float = 0.10
    """Customers who come during the first four fifths of the time instead of at the beginning."""
    stopper_share: float = 0.12
    """Customers who stop for ever on some day, without a word."""
    ghost_share: float = 0.10
    """Customers who stop within their first weeks: long silent for most of the time."""
    moves_per_year: float = 0.09
    """How often a customer becomes another persona by itself, besides the drift."""
    views_per_order: float = 0.0
    """Mean number of looks at the shop before an order, besides the persona's own."""

    def __post_init__(self) -> None:
        shares = (self.newcomer_share, self.stopper_share, self.ghost_share)
        births = [drift.share for drift in self.cast.drift if isinstance(drift, Birth)]
        if self.customers < 1 or self.days < 1 or self.seed < 0:
            raise SettingsError("personas: customers and days must be at least 1, seed at least 0")
        if not all(0 <= share <= 1 for share in (*shares, *births)) or self.stopper_share + self.ghost_share > 1:
            raise SettingsError("personas: shares lie between 0 and 1, and stoppers and ghosts are not the same")
        last = len(self.cast.personas) - 1
        if any(not 0 <= drift.persona <= last or drift.day < 0 for drift in self.cast.drift):
            raise SettingsError(f"personas: drift is of personas 0 to {last}, from day 0 on")
        if self.moves_per_year < 0 or self.views_per_order < 0:
            raise SettingsError("personas: rates cannot be negative")

    @property
    def start_ms(self) -> int:
        """Midnight of the first day."""
        return epoch_ms(datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC))
