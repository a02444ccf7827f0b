"""Directories that somebody else keeps: fetched page by page through the guarded client, and kept as one file each."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.cli.output import fail
from hub.domain.listing import Listing
from hub.services.read_feed import FeedError, FeedPage, read_page

if TYPE_CHECKING:
    from hub.sdk.http import GuardedClient

FOLDER = "directory"
#: No feed is read further than this; one that is longer is refused, and never kept in part.
_MOST_PAGES, _MOST_SERVICES, _PER_PAGE = 1000, 50_000, 100
_PAGE_BYTES = 10_000_000


def read_source(source: str, allow_addresses: Sequence[str]) -> tuple[list[Listing], int]:
    """Return the listings of a file or an address, each id once, and how many services were unreadable.

    What cannot be read at all ends the command: what was kept before stays.
    """
    try:
        if source.startswith(("https://", "http://")):
            return asyncio.run(_fetch(source, allow_addresses))
        return _joined([read_page(json.loads(Path(source).read_bytes()))])
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, FeedError) else "it is not JSON"
        fail(f"{source} is no feed of Open Referral UK: {why}", "Ask its owner for the address that ends in /services.")
    except OSError as error:
        fail(f"{source} cannot be read: {error.strerror or type(error).__name__}", "Mend its name, and try again.")


async def _fetch(url: str, allow_addresses: Sequence[str]) -> tuple[list[Listing], int]:
    from hub.sdk.connector import NoReply, NotSent  # noqa: PLC0415 - `hub --help` stays fast
    from hub.sdk.http import GuardedClient  # noqa: PLC0415
    from hub.sdk.reach import Reach, host_and_port  # noqa: PLC0415

    client = GuardedClient(Reach.to([host_and_port(url)], allow_addresses, reply_bytes=_PAGE_BYTES))
    try:
        return _joined([page async for page in _pages(client, url)])
    except (NotSent, NoReply) as error:
        fail(f"{url} cannot be fetched: {error.reason}", "Look at the address; of one inside, name --allow-address.")
    finally:
        await client.aclose()


async def _pages(client: GuardedClient, url: str) -> AsyncIterator[FeedPage]:
    count, ids = 0, set[str]()
    for number in range(1, _MOST_PAGES + 1):
        address = f"{url}{'&' if '?' in url else '?'}page={number}&per_page={_PER_PAGE}"
        reply = await client.send("GET", address, headers={"accept": "application/json"})
        if reply.status != 200:
            raise FeedError(f"page {number} was answered with {reply.status}")
        page = read_page(json.loads(reply.body))
        fresh = {each.id for each in page.listings} - ids
        ids |= fresh
        count += len(page.listings)
        if count > _MOST_SERVICES:
            raise FeedError(f"it lists more than {_MOST_SERVICES} services")
        yield page
        # One that takes no page number gives the same page for ever; an empty page is beyond the last.
        if page.last or not fresh:
            return
    raise FeedError(f"it has more than {_MOST_PAGES} pages")


def _joined(pages: Sequence[FeedPage]) -> tuple[list[Listing], int]:
    listings = {each.id: each for page in pages for each in page.listings}
    return list(listings.values()), sum(page.unreadable for page in pages)


def keep(folder: Path, name: str, source: str, on: date, listings: Sequence[Listing]) -> Path:
    """Put a feed's listings in the place of those that were kept of it before, in one step."""
    path = folder / FOLDER / f"{name}.json"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    kept = [_written(each) for each in listings]
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"source": source, "imported_on": on.isoformat(), "services": kept}), encoding="utf-8")
    os.replace(fresh, path)
    return path


def kept_listings(folder: Path) -> list[tuple[str, Listing]]:
    """Return every listing that was kept, with the name of its feed."""
    found = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        for each in json.loads(path.read_text(encoding="utf-8"))["services"]:
            checked = date.fromisoformat(each["checked_on"]) if each["checked_on"] else None
            found.append((path.stem, Listing(**{**each, "areas": tuple(each["areas"]), "checked_on": checked})))
    return found


def name_of(source: str) -> str:
    """Return a file's name for a feed, from its address or its own name."""
    bare = source.rsplit("://", maxsplit=1)[-1].split("?", maxsplit=1)[0] if "://" in source else Path(source).stem
    return re.sub(r"[^a-z0-9]+", "-", bare.lower()).strip("-")[:60] or "feed"


def _written(listing: Listing) -> dict[str, Any]:
    row = dataclasses.asdict(listing)
    return row | {"checked_on": listing.checked_on.isoformat() if listing.checked_on else None}
