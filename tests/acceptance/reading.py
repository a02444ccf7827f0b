"""Reading a share's sheet as a case system does, as a page and as JSON."""

from __future__ import annotations

from typing import Any

import httpx

from tests.acceptance.caller import Caller
from tests.acceptance.house import House


def read_sheet(caller: Caller, share_id: str, *, accept: str = "application/json", query: str = "") -> httpx.Response:
    """Ask for the sheet of a share as one client."""
    headers = {"authorization": f"Bearer {caller.token()}", "accept": accept}
    return caller.http.get(f"/v1/shares/{share_id}/for-the-person{query}", headers=headers)


def sheet_of(house: House, receipt: dict[str, Any], query: str = "") -> httpx.Response:
    """The sheet of a share of ours, as JSON."""
    return read_sheet(house.cases, receipt["id"], query=query).raise_for_status()


def page_of(house: House, receipt: dict[str, Any], query: str = "") -> httpx.Response:
    """The same as a page."""
    return read_sheet(house.cases, receipt["id"], accept="text/html", query=query).raise_for_status()
