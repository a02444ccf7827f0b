"""TH16: a client whose key was stolen is shut out, by its old tokens and for new ones, within five seconds."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from typer.testing import CliRunner

from hub.cli.main import app
from hub.security.assertions import token_request
from tests.acceptance.house import OTHER_CLIENT, House


def test_th16_from_the_revocation_to_the_last_accepted_call_are_five_seconds_at_most(house: House) -> None:
    # given a client that is served, with a token that lasts, as a thief would have it
    client = house.other
    assert client.get("/v1/services").status_code == 200
    # when the operator revokes it while the hub runs, and the thief goes on
    done = CliRunner().invoke(app, ["client", "revoke", OTHER_CLIENT, "--dir", str(house.folder)])
    began = last = time.monotonic()
    assert done.exit_code == 0, done.stderr
    while time.monotonic() - began < 8:
        if client.get("/v1/services").status_code != 200:
            break
        last = time.monotonic()
        time.sleep(0.1)
    # then nothing of it was taken later than five seconds after
    assert last - began <= 5
    assert [client.get("/v1/services").status_code for _ in range(5)] == [401] * 5
    # and its key, with which it could have got another, gets none
    form = token_request(OTHER_CLIENT, f"{house.url}/oauth/token", client.key, datetime.now(UTC))
    assert client.http.post("/oauth/token", data=form).status_code == 401
    # and everyone else is served on
    assert house.cases.get("/v1/services").status_code == 200
