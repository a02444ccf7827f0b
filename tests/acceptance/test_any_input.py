"""Any input: whatever JSON or bytes come, the hub refuses them and never fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.house import House
from tests.acceptance.refusals import (
    SHARES,
    canaried,
    known_delivery,
    places,
    put,
    refused,
)
from tests.acceptance.telling import HOUSING

pytestmark = pytest.mark.usefixtures("one_share", "nothing_stored")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_whatever_json_stands_in_a_share_the_hub_never_fails(house: House, data: st.DataObject) -> None:
    # given a share with any JSON in one to three of its places, and a service that nothing may go to
    share: Any = canaried() | {"services": ["no-such-service"]}
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([each for each in places(share) if each and each != ("services",)]))
        share = put(share, path, data.draw(JSON))
        if not isinstance(share, dict):
            break
    if isinstance(share, dict):
        share["services"] = ["no-such-service"]
    # when it is previewed, then it is shown or refused, never a fault of the hub's, and the canary is not in a refusal
    reply = house.cases.post("/v1/shares/preview", json.dumps(share).encode())
    assert reply.status_code in {200, 400, 422}, (reply.status_code, reply.text)
    if reply.status_code != 200:
        refused(reply, 400, 422)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_bytes_come_the_hub_never_fails(house: House, body: bytes) -> None:
    # given any bytes; when they are sent to every address that takes a body, then each refuses them
    for path in (SHARES, f"/v1/deliveries/{known_delivery(house)}/heard"):
        refused(house.cases.post(path, body), 400, 422)
    refused(house.callback(HOUSING, body, secret="whsec_" + "B" * 44), 401)
