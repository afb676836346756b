"""Rename, pin and unpin from the page: the same commands, by the same way, as ``segstream segments`` sends."""

from __future__ import annotations

import hmac
from contextlib import closing
from typing import Any

from consumers import desk
from consumers.standing import standing
from consumers.watching.outside import Outside
from stream.contracts.commands import Deed
from stream.customer.features import FeatureSet
from stream.errors import SettingsError
from stream.settings import PageSettings, Tree

DEEDS: dict[str, Deed] = {"rename": "rename", "pin": "pin", "unpin": "unpin"}
MOST_BYTES = 2_000
"""Of a request."""


def may(page: PageSettings, authorization: str) -> bool:
    """Whether the header bears the token. Takes as long for a near miss as for a far one."""
    if page.token is None:
        return False
    wanted = f"Bearer {page.token.get_secret_value()}"
    return hmac.compare_digest(authorization.encode(), wanted.encode())


def tell(settings: Tree, outside: Outside, features: FeatureSet, deed: Deed, said: dict[str, Any]) -> str:
    """Tell the owner; returns what was told. Raises ``SettingsError`` for what cannot be, ``BrokerUnavailable``."""
    segment, name, by = (said.get(key) for key in ("segment", "name", "by"))
    if not isinstance(segment, str) or not isinstance(name, str | None) or not isinstance(by, str | None):
        raise SettingsError("say segment, name and by as text")
    if deed == "rename" and name is None:
        raise SettingsError("say the new name")
    with closing(outside.tail()) as tail:
        found = standing(settings, features, tail)
    command = desk.naming(found, deed, segment, name if deed == "rename" else None, by or "", outside.now_seconds())
    with closing(outside.writer()) as writer:
        desk.tell(writer, settings.topics.learning, command)
    return f"{deed} of {segment} told; it shows with the next model"
