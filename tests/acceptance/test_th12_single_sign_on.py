"""TH12: who signs in by the partnership's own provider is who it says, and nobody else, in the browser that asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hub.people import Member, members
from hub.sandbox.sign_on import WRONG
from hub.sdk.testing.process import SandboxProcess
from hub.services.account import Disable, disable_account
from tests.acceptance.house import House, Troupe, append_to, open_house, replace_in
from tests.acceptance.signing import HARBOUR, RIVERSIDE, Browser

_PEOPLE = [
    {"sub": "sol-at-harbour", "email": "champion@harbour.example"},
    {"sub": "a-stranger", "email": "stranger@elsewhere.example"},
    {"sub": "named-by-subject", "email": "another-address@riverside.example"},
]


@dataclass
class Signing:
    """A hub and the provider that its people sign in with."""

    house: House
    provider: SandboxProcess

    def asked(self, browser: Browser, path: str = "/console/sign-in/elsewhere") -> dict[str, str]:
        """Go to the provider in this browser; returns what it was asked for."""
        reply = browser.get(path)
        assert reply.status_code == 303, reply.text
        assert reply.headers["location"].startswith(f"{self.provider.url}/authorize?")
        return {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}

    def chosen(self, asked: dict[str, str], sub: str) -> str:
        """Let the provider sign somebody in; returns where it leads back to, from the hub's own address on."""
        reply = httpx.post(f"{self.provider.url}/authorize", data={**asked, "sub": sub}, timeout=20, trust_env=False)
        assert reply.status_code == 303, reply.text
        return reply.headers["location"].removeprefix(self.house.url)

    def went(self, browser: Browser, sub: str) -> httpx.Response:
        """The whole way."""
        return browser.get(self.chosen(self.asked(browser), sub))


@pytest.fixture(scope="module")
def signing(troupe: Troupe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signing]:
    """A hub whose champions sign in elsewhere; one of them is named by the provider's own name."""
    folder = tmp_path_factory.mktemp("sign-on")
    settings = {"client_id": "the-hub", "client_secret": "s3cret:/with signs", "people": _PEOPLE}
    provider = SandboxProcess("hub.sandbox.sign_on", folder, settings=settings)

    def edit(instance: Path) -> None:
        url = re.search(r'public_url = "([^"]+)"', (instance / "hub.toml").read_text())
        assert url is not None
        known = settings | {"redirect_uri": f"{url[1]}/console/sign-in/return"}
        provider.__init__("hub.sandbox.sign_on", folder, settings=known)  # type: ignore[misc] # the port is the hub's
        provider.start()
        (instance / "secrets" / "sign-on").write_text(str(settings["client_secret"]), encoding="utf-8")
        append_to(
            instance / "hub.toml",
            f'\n[sign_in]\nissuer = "{provider.url}"\nname = "Riverside"\nclient_id = "the-hub"\n'
            'client_secret = "file:secrets/sign-on"\nallow_addresses = ["127.0.0.0/8"]\n',
        )
        file = next((instance / "partnerships").glob("*.toml"))
        replace_in(file, f'id = "{RIVERSIDE}"\n', f'id = "{RIVERSIDE}"\nsubject = "named-by-subject"\n')

    try:
        with open_house(folder / "hub", troupe, edit=edit) as house:
            yield Signing(house, provider)
    finally:
        if provider.running:
            provider.stop()


@pytest.fixture(autouse=True)
def _as_at_first(signing: Signing) -> None:
    """Each test begins with no guess counted, and with nothing known of a provider that others made change its keys."""
    with signing.house.hub.writer._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM guesses")
    sign_on = signing.house.hub.single_sign_on
    assert sign_on is not None
    sign_on._about, sign_on._keys, sign_on._looked = (0.0, {}), (0.0, {}), 0.0


def test_th12_a_person_signs_in_elsewhere_and_comes_back_to_what_they_asked_for(signing: Signing) -> None:
    # given a browser that asked for a screen, and was offered the provider alone
    browser = Browser(signing.house.url)
    page = browser.get(browser.get("/console/me").headers["location"]).text
    assert "Sign in with Riverside" in page
    assert 'type="password"' not in page
    link = re.search(r'id="elsewhere" href="([^"]+)"', page)
    assert link is not None

    # when they go there, are signed in, and come back
    asked = signing.asked(browser, link[1])
    reply = browser.get(signing.chosen(asked, "sol-at-harbour"))

    # then they are where they wanted to be; the provider was asked with PKCE, and for no more than it need say
    assert (reply.status_code, reply.headers["location"]) == (303, "/console/me")
    assert "Sol" in browser.get("/console/me").text
    assert asked["scope"] == "openid email"
    assert asked["code_challenge_method"] == "S256"
    rows = signing.house.rows("SELECT detail FROM audit_events WHERE action = 'session.began' ORDER BY id DESC LIMIT 1")
    assert '"way":"elsewhere"' in str(rows[0]["detail"])


def test_th12_a_person_may_be_named_by_the_providers_own_name_of_them(signing: Signing) -> None:
    # given a person whom the partnership's file names by subject: another address of theirs does no harm
    browser = Browser(signing.house.url)
    assert signing.went(browser, "named-by-subject").status_code == 303
    named: Member = members(signing.house.hub.configuration.partnership)[RIVERSIDE]
    assert named.name in browser.get("/console/me").text


def test_th12_whom_the_partnership_does_not_name_is_nobody(signing: Signing) -> None:
    browser = Browser(signing.house.url)
    reply = signing.went(browser, "a-stranger")
    assert reply.status_code == 403
    assert "nobody by that name" in reply.text
    assert browser.get("/console/me").status_code == 303


#: What each wrong thing is written down as.
_WHY = {
    "issuer": "issuer",
    "audience": "token-untrusted",
    "nonce": "nonce",
    "expired": "token-expired",
    "no-algorithm": "token-untrusted",
    "shared-secret": "token-untrusted",
    "other-key": "token-untrusted",
    "unchecked-email": "nobody",
    "reply-issuer": "issuer",
    "azp": "issuer",
}


@pytest.mark.parametrize("thing", WRONG)
def test_th12_a_reply_that_is_wrong_in_one_thing_signs_nobody_in(signing: Signing, thing: str) -> None:
    # given a provider that is wrong once
    browser = Browser(signing.house.url)
    signing.provider.order("wrong", thing=thing)

    # when somebody comes back with its reply / then nobody is signed in, and it is written down with a code
    reply = signing.went(browser, "sol-at-harbour")
    assert reply.status_code == 403
    assert browser.get("/console/me").status_code == 303
    refused = "SELECT actor, detail FROM audit_events WHERE action = 'sign_in.refused' ORDER BY id DESC LIMIT 1"
    rows = signing.house.rows(refused)
    assert (rows[0]["actor"], json.loads(rows[0]["detail"])) == ("nobody", {"why": _WHY[thing]})


def test_th12_a_reply_is_good_once_and_in_the_browser_that_asked(signing: Signing) -> None:
    # given one that came back for somebody else's browser, as one who lures them would send it
    theirs, ours = Browser(signing.house.url), Browser(signing.house.url)
    back = signing.chosen(signing.asked(theirs), "sol-at-harbour")
    assert ours.get(back).status_code == 403
    signing.asked(ours)
    assert ours.get(back).status_code == 403

    # when it comes to the browser that asked, twice / then it signs in once
    kept = dict(theirs.http.cookies)
    assert theirs.get(back).status_code == 303
    again = Browser(signing.house.url)
    again.http.cookies.update({name: value for name, value in kept.items() if "flow" in name})
    assert again.get(back).status_code == 403


def test_th12_somebody_who_did_not_sign_in_there_is_told_so(signing: Signing) -> None:
    browser = Browser(signing.house.url)
    reply = signing.went(browser, "")
    assert reply.status_code == 403
    assert "You were not signed in" in reply.text


def test_th12_a_provider_may_change_its_keys(signing: Signing) -> None:
    # given a sign-in under the keys of today, long enough ago that the hub may look again
    assert signing.went(Browser(signing.house.url), "sol-at-harbour").status_code == 303
    sign_on = signing.house.hub.single_sign_on
    assert sign_on is not None
    signing.provider.order("rotate")
    sign_on._looked = 0.0

    # when the provider signs with new ones / then they are found
    assert signing.went(Browser(signing.house.url), "sol-at-harbour").status_code == 303


def test_th12_a_disabled_account_shuts_out_who_signs_in_elsewhere(signing: Signing) -> None:
    # given somebody who is signed in, and has no password here
    browser, house = Browser(signing.house.url), signing.house
    assert signing.went(browser, "sol-at-harbour").status_code == 303
    order = Disable(HARBOUR, "operator:test", house.hub.now.wall())
    house.hub.writer.submit(disable_account, order).result(30)

    # then they are out, and stay out; and in again once the operator says so
    assert browser.get("/console/me").status_code == 303
    assert signing.went(browser, "sol-at-harbour").status_code == 403
    house.hub.writer.submit(disable_account, Disable(HARBOUR, "operator:test", order.wall, again=True)).result(30)
    assert signing.went(browser, "sol-at-harbour").status_code == 303


def test_th12_a_provider_that_is_away_is_said_to_be(signing: Signing) -> None:
    # given a provider that does not answer, of which the hub knows nothing yet
    sign_on = signing.house.hub.single_sign_on
    assert sign_on is not None
    sign_on._about = (0.0, {})
    signing.provider.stop()

    # when somebody wants to sign in / then the page says whose fault it is, and what to do
    reply = Browser(signing.house.url).get("/console/sign-in/elsewhere")
    signing.provider.start()
    assert reply.status_code == 503
    assert "does not answer" in reply.text
