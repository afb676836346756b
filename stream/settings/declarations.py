"""Declared accumulators and features: what is kept of a customer, and what the model sees of it.

A measure is added up (``Accumulator``); a number between people is read off the sums (``Feature``).
Declaring them, not coding them, is what makes segstream serve a grocer and a telecom alike.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
EventField = Literal["amount", "items", "discount", "lines.amount"]


class Declaration(BaseModel):
    """A declaration is closed and immutable: a misspelt key is an error, not a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Accumulator(Declaration):
    """A forward-decayed sum over a customer's events (Cormode et al., 2009).

    ``count`` adds 1 an event, ``sum`` adds a field, ``mix`` adds a field to one of at most eight declared
    categories of the basket's lines, or to "other". ``when`` narrows to events in the weekend or evening (local
    time), or to private-label lines.
    """

    name: Name
    kind: Literal["count", "sum", "mix"]
    of: Literal["order", "view"] = "order"
    field: EventField | None = None
    when: Literal["weekend", "evening", "private_label"] | None = None
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.kind == "count") != (self.field is None):
            raise ValueError(f"accumulator '{self.name}': a count has no field, a {self.kind} needs one")
        if self.kind == "mix" and not (1 <= len(self.values) <= 8 and self.field == "lines.amount"):
            raise ValueError(f"accumulator '{self.name}': a mix needs field 'lines.amount' and 1 to 8 values")
        if self.kind != "mix" and self.values:
            raise ValueError(f"accumulator '{self.name}': only a mix has values")
        if (self.when == "private_label") and self.field != "lines.amount":
            raise ValueError(f"accumulator '{self.name}': private_label is known of lines: field 'lines.amount'")
        if self.of == "view" and self.field is not None:
            raise ValueError(f"accumulator '{self.name}': a view has no {self.field}")
        return self


class Feature(Declaration):
    """One number of the vector, in natural units until it is transformed.

    With accumulators N and D decayed to the moment of the look, prior p and prior weight w:

    ``rate``     (N + w p / per_days) / (exposure_days + w) * per_days, exposure = decayed days since the first event
    ``ratio``    (N + w p) / (D + w)
    ``share``    as ratio, clipped to [0, 1]; N may be some values of a mix and D its total
    ``entropy``  of a mix smoothed by w, divided by its maximum: 0 = one category, 1 = all alike

    ``range`` (natural units) is divided into 32,000 steps after the transform; what lies outside is clipped.
    ``weight`` scales the feature in every distance. ``min_sd`` (steps): below it the feature is near-constant and
    gets weight 0. ``group`` is the kind of segmentation it serves and is only shown.
    """

    name: Name
    kind: Literal["rate", "ratio", "share", "entropy"]
    of: Name
    values: tuple[str, ...] = ()
    per: Name | None = None
    per_days: float = Field(default=30.0, gt=0)
    prior: float = 0.0
    prior_weight: float = Field(default=1.0, ge=0)
    transform: Literal["log1p", "identity"] = "identity"
    range: tuple[float, float]
    weight: float = Field(default=1.0, ge=0)
    min_sd: float = Field(default=32.0, ge=0)
    unit: str
    low: str
    high: str
    group: Literal["value", "behaviour"] = "behaviour"

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.kind in ("ratio", "share") and self.per is None:
            raise ValueError(f"feature '{self.name}': a {self.kind} needs 'per', what it is divided by")
        if not self.range[0] < self.range[1]:
            raise ValueError(f"feature '{self.name}': range must rise")
        if self.transform == "log1p" and self.range[0] <= -1:
            raise ValueError(f"feature '{self.name}': log1p needs a range above -1")
        return self
