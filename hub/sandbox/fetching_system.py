"""A partner's system that nobody can call: it fetches its own parcels from the hub, and answers them (R73)."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from hub.sandbox.case_system import CaseSystem
from hub.security.assertions import ClientKey


class FetchingSystem(CaseSystem):
    """One client of the hub that serves one service; `fetched` is what it has, as the bytes that it got."""

    def __init__(self, hub_url: str, client_id: str, key: ClientKey, service: str) -> None:
        super().__init__(hub_url, client_id, key)
        self._service = service
        self.fetched: list[bytes] = []

    def fetch(self) -> list[dict[str, Any]]:
        """Fetch what is due, keep it, and say that somebody opened it; returns the parcels."""
        path = f"/v1/deliveries?{httpx.QueryParams(service=self._service)}"
        parcels: list[dict[str, Any]] = self._checked(self._http.get(path, headers=self._authorization()))["deliveries"]
        for parcel in parcels:
            self.fetched.append(base64.b64decode(parcel["content"]))
            self._post(f"/v1/deliveries/{parcel['id']}/acknowledge", {"attempt": parcel["attempt"], "opened": True})
        return parcels

    def answer(self, parcel: dict[str, Any], **said: Any) -> None:
        """Answer a parcel; said twice it is one answer."""
        key = {"idempotency-key": f"{parcel['key']}-{said['state']}"}
        self._post(f"/v1/deliveries/{parcel['id']}/answers", said, key)
