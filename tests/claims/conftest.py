"""Planted claims in the place of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from bakeoff.claims import settle
from bakeoff.claims.base import Claim


@pytest.fixture
def plant(monkeypatch) -> Callable[..., Mapping[str, Claim]]:
    """Puts planted claims in the place of the real ones."""
    def put(*claims: Claim) -> Mapping[str, Claim]:
        found = {one.id: one for one in claims}
        monkeypatch.setattr(settle, "known", lambda: found)
        return found
    return put
