"""`hub directory`: two people approve a team's entry, a renewal lasts on, and what others list is only to look at."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.cli.conftest import Instance

SERVICE = "city-housing"


def standing(instance: Instance) -> str:
    return str(instance.json("directory", "ls")["entries"][0]["standing"])


def test_th20_two_different_people_approve_and_only_then_it_stands(instance: Instance) -> None:
    # given an entry that nobody approved
    assert standing(instance) == "entry-unapproved"
    # when somebody approves it who has not reached the team, then nothing is written
    refused = instance.hub("directory", "approve", SERVICE, "--as", "operator", "--yes")
    assert (refused.exit_code, standing(instance)) == (1, "entry-unapproved")
    # when one does who rang them, twice, then it takes another person
    for _ in range(2):
        instance.json("directory", "approve", SERVICE, "--as", "operator", "--seen", "rang", "--yes")
        assert standing(instance) == "entry-one-approval"
    said = instance.json("directory", "approve", SERVICE, "--as", "council-champion", "--yes")
    assert said["approved_by"] == ["operator", "council-champion"]
    assert (said["standing"], standing(instance)) == ("approved", "approved")
    # and who approved what is in the audit log
    told = [row for row in instance.rows("audit_events") if row["action"] == "entry.approved"]
    assert [row["detail"]["by"] for row in told] == ["operator", "operator", "council-champion"]
    assert {row["detail"]["entry"] for row in told} == {said["entry"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("approve", SERVICE, "--as", "nobody", "--seen", "rang", "--yes"),
            "nobody is nobody in the partnership's file",
        ),
        (("approve", "elsewhere", "--as", "operator", "--seen", "rang", "--yes"), "there is no service by that name"),
        (("approve", SERVICE, "--as", "operator", "--seen", "dreamt", "--yes"), "dreamt is no way to reach a team"),
        (("approve", SERVICE, "--as", "operator", "--seen", "met", "--on", "2999-01-01", "--yes"), "has not come yet"),
        (("approve", SERVICE, "--as", "operator", "--seen", "met", "--until", "2999-01-01", "--yes"), "a year at most"),
        (("approve", SERVICE, "--as", "operator", "--seen", "met", "--json"), "nothing was written"),
        (("renew", SERVICE, "--as", "operator", "--seen", "met"), "there is nothing to renew"),
        (("import", "nowhere.json"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_with_the_next_step(instance: Instance, words: tuple[str, ...], said: str) -> None:
    result = instance.hub("directory", *words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) >= 2
    assert standing(instance) == "entry-unapproved"


def test_th20_a_change_of_the_entry_is_approved_anew_and_a_renewal_lasts_on(instance: Instance) -> None:
    # given an entry that two people approved, which ends today
    today = date.today()
    for who in ("operator", "council-champion"):
        words = ("--seen", "wrote", "--until", today.isoformat(), "--yes")
        instance.json("directory", "approve", SERVICE, "--as", who, *words)
    # when somebody reached the team again, then one person is enough, for half a year
    renewed = instance.json("directory", "renew", SERVICE, "--as", "operator", "--seen", "rang")
    assert renewed["last_day"] == (today + timedelta(days=182)).isoformat()
    # when the entry says something else, then nothing can be renewed, and both look again
    instance.reach("http://127.0.0.1:10")
    assert standing(instance) == "entry-changed"
    assert instance.hub("directory", "renew", SERVICE, "--as", "operator", "--seen", "rang").exit_code == 1
    instance.json("directory", "approve", SERVICE, "--as", "operator", "--seen", "rang", "--yes")
    assert standing(instance) == "entry-one-approval"


class Feed(BaseHTTPRequestHandler):
    """A directory of three pages, of one service each."""

    def do_GET(self) -> None:
        """Answer one page."""
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        service = {"id": str(page), "name": f"Service {page}", "status": "active", "maximum_age": 10 * page}
        service |= {"last_modified": f"{2019 + page}-01-01"} if page < 3 else {"assured_date": str(date.today())}
        body = json.dumps({"contents": [service, {}], "page_number": page, "total_pages": 3}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def feed() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Feed)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/services"
    server.shutdown()
    thread.join()
    server.server_close()


def test_r58_a_feed_is_read_page_by_page_and_is_no_permission_to_send(instance: Instance, feed: str) -> None:
    # given a feed on an address inside: without leave nothing is fetched
    refused = instance.hub("directory", "import", feed)
    assert (refused.exit_code, "address-refused" in refused.stderr) == (1, True)
    # when it is read with leave, then every page is there, with what is stale and what could not be read
    said = instance.json("directory", "import", feed, "--allow-address", "127.0.0.0/8")
    assert (said["services"], said["stale"], said["unreadable"]) == (3, 2, 3)
    shown = instance.json("directory", "ls")
    assert [(each["name"], each["stale"]) for each in shown["listed"]] == [
        ("Service 1", True),
        ("Service 2", True),
        ("Service 3", False),
    ]
    # and it can be looked through
    assert [each["name"] for each in instance.json("directory", "ls", "--age", "25")["listed"]] == ["Service 3"]
    assert "no permission to send" in instance.hub("directory", "ls").stdout
    # and none of them is a service here: what can be sent to are the entries alone
    assert [each["service"] for each in shown["entries"]] == [SERVICE]


def test_a_feed_that_fails_half_way_changes_nothing(instance: Instance, tmp_path: Path) -> None:
    file = tmp_path / "feed.json"
    file.write_text(json.dumps([{"id": "1", "name": "One"}]), encoding="utf-8")
    instance.json("directory", "import", str(file))
    for broken in ("[{", "[" * 100_000, '{"error": "no"}'):
        file.write_text(broken, encoding="utf-8")
        result = instance.hub("directory", "import", str(file))
        assert (result.exit_code, "is no feed of Open Referral UK" in result.stderr) == (1, True)
    assert [each["name"] for each in instance.json("directory", "ls")["listed"]] == ["One"]
