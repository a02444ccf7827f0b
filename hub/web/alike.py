"""Answers a stranger in the same time, whatever was found: time tells nothing (TH04)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

T = TypeVar("T")

#: How long, in seconds, whatever a stranger can ask takes at least.
_ALIKE: Final = 0.25


async def alike(doing: Awaitable[T]) -> T:
    """Do something, and take as long as it takes for anybody."""
    done, _ = await asyncio.gather(doing, asyncio.sleep(_ALIKE))
    return done
