"""The questions of a partnership's first afternoon, and the files that its answers become (R75)."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import typer

from hub.cli.output import fail

#: Without what is easily misread over a telephone.
_CODE: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a partnership has to say; one without a usual answer has to be answered."""

    key: str
    text: str
    usual: str = ""


QUESTIONS: Final = (
    Question("public_url", "Address at which partners reach the hub", "http://127.0.0.1:8400"),
    Question("mail_host", "Mail server", "127.0.0.1"),
    Question("mail_port", "Its port", "25"),
    Question("mail_tls", "Its encryption: starttls, tls or none", "starttls"),
    Question("mail_from", "Address that the hub's e-mails come from"),
    Question("operator_email", "E-mail of whoever looks after the hub"),
    Question("safeguarding_email", "E-mail of the partnership's senior contact for safety"),
    Question("ring_name", "Whom to ring when someone is at risk", "Adults at risk (MASH)"),
    Question("ring_phone", "Their number"),
    Question("sender_name", "Organisation of the trusted person"),
    Question("sender_kind", "What it is: charity, public_body, health or other", "charity"),
    Question("champion_email", "E-mail of its champion, who hears when nobody answers"),
    Question("team_name", "Team that can act, as people say it"),
    Question("team_kind", "What its organisation is: charity, public_body, health or other", "public_body"),
    Question("team_mailbox", "The team's mailbox: a link that names nobody goes there"),
    Question("team_phone", "Its number, for what cannot wait"),
    Question("follow_up_email", "E-mail of who follows up there"),
    Question("purpose", "What the team is asked for, as a code such as find-a-home"),
    Question("duties", "What the team may have to do with what it hears, in a plain sentence"),
    Question("agreement", "Reference of the sharing agreement"),
    Question("assessment", "Reference of the data protection impact assessment"),
    Question("sender_basis", "Sending side's lawful basis: its Article 6 and 9 codes, such as 6(1)(a) 9(2)(a)"),
    Question("receiver_basis", "The team's own lawful basis, likewise"),
)


def answers(said: list[str]) -> dict[str, str]:
    """Return every answer: those `said` as key=value, the rest asked on a terminal; all that is missing at once."""
    known = {question.key for question in QUESTIONS}
    given = dict(each.partition("=")[::2] for each in said)
    if strange := sorted(set(given) - known):
        fail(f"not asked for: {', '.join(strange)}", f"The answers are: {', '.join(sorted(known))}.")
    if sys.stdin.isatty():
        for question in QUESTIONS:
            if question.key not in given:
                given[question.key] = typer.prompt(question.text, default=question.usual or None)
    found = {question.key: given.get(question.key, question.usual).strip() for question in QUESTIONS}
    if missing := [question for question in QUESTIONS if not found[question.key]]:
        lines = "\n     ".join(f"--set {each.key}=…   {each.text}" for each in missing)
        fail("some answers are missing, and nothing was written", f"Say each, or run this on a terminal:\n     {lines}")
    return found


def write(folder: Path, name: str, found: Mapping[str, str], *, live: bool) -> list[str]:
    """Write what a partnership said into an instance; returns the files, those with a secret included."""
    from hub.security.assertions import ClientKey  # noqa: PLC0415 - `hub --help` stays fast

    sender, team = id_of(found["sender_name"]), id_of(found["team_name"])
    if sender == team:
        team = f"{team}-team"
    key = ClientKey.generate()
    files = {
        "partnerships/local.toml": _partnership(name, sender, team, found),
        f"services/{team}.toml": _service(team, found, live=live),
        f"clients/{sender}-cases.jwks.json": key.jwks(),
        f"secrets/{sender}-cases-key.pem": key.pem().decode(),
        f"secrets/{team}-code": "".join(secrets.choice(_CODE) for _ in range(10)),
    }
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
        (folder / file).chmod(0o600)
    hub = folder / "hub.toml"
    hub.write_text(_hub(hub.read_text(encoding="utf-8"), found), encoding="utf-8")
    return list(files)


def id_of(name: str) -> str:
    """Return an id made of a name: letters, digits and hyphens, and a letter first."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50]
    return plain if re.match(r"[a-z].", plain) else f"org-{plain}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _hub(shipped: str, found: Mapping[str, str]) -> str:
    port = found["mail_port"] if found["mail_port"].isdigit() else "25"
    new = {"public_url": _quoted(found["public_url"]), "from_address": _quoted(found["mail_from"])}
    text = shipped
    for setting, value in new.items():
        text = re.sub(rf'(?m)^{setting} = "[^"]*"', f"{setting} = {value}".replace("\\", r"\\"), text)
    head, mark, mail = text.partition("[mail]")
    mail = re.sub(r'(?m)^host = "[^"]*"', lambda _: f"host = {_quoted(found['mail_host'])}", mail)
    mail = re.sub(r"(?m)^port = \d+", f"port = {port}", mail)
    mail = re.sub(r'(?m)^tls = "[^"]*"', lambda _: f"tls = {_quoted(found['mail_tls'])}", mail)
    return head + mark + mail


def _partnership(name: str, sender: str, team: str, found: Mapping[str, str]) -> str:
    said = {key: _quoted(value) for key, value in found.items()}
    days = '["mon", "tue", "wed", "thu", "fri"]'
    return f"""# Who is in the partnership, as it was said on its first afternoon.

name = {_quoted(name)}

[operator]
name = "Operator"
email = {said["operator_email"]}

[safeguarding]
contact = {{ id = "safeguarding-lead", name = "Safeguarding lead", email = {said["safeguarding_email"]} }}

[[safeguarding.numbers]]               # add one for each: adults, children, domestic abuse, out of hours
name = {said["ring_name"]}
phone = {said["ring_phone"]}

[[partners]]
id = "{sender}"
name = {said["sender_name"]}
kind = {said["sender_kind"]}

[partners.champion]
id = "{sender}-champion"
name = "Champion"
email = {said["champion_email"]}
working_days = {days}

[[partners]]
id = "{team}"
name = {said["team_name"]}
kind = {said["team_kind"]}

[partners.champion]
id = "{team}-champion"
name = "Who follows up"
email = {said["follow_up_email"]}
working_days = {days}

[[clients]]                            # its private key is secrets/{sender}-cases-key.pem: hand it over, then delete it
id = "{sender}-cases"
partner = "{sender}"
jwks = "clients/{sender}-cases.jwks.json"
"""


def _service(team: str, found: Mapping[str, str], *, live: bool) -> str:
    said = {key: _quoted(value) for key, value in found.items()}
    shadow = "# shadow = true" if live else "shadow = true"
    return f"""# A team with a mailbox alone, reached by e-mail and the answer page.

id = "{team}"
name = {said["team_name"]}
partner = "{team}"
address = {said["team_mailbox"]}
purposes = [{said["purpose"]}]
phone = {said["team_phone"]}
email = {said["team_mailbox"]}

[agreement]
reference = {said["agreement"]}
agreed_on = {datetime.now(UTC).date().isoformat()}
assessment = {said["assessment"]}
sender = {_basis(found["sender_basis"])}
receiver = {_basis(found["receiver_basis"])}
duties = {said["duties"]}

[answer_page]
code = "file:secrets/{team}-code"      # told to the team by telephone, never by e-mail

[connection]
id = "{team}"
plugin = "mailbox"
connector = "answer-page"
{shadow}                          # nothing is sent, `hub shadow report` says what would be; take it out to go live
"""


def _basis(codes: str) -> str:
    articles = [_quoted(each) for each in codes.split()]
    named = zip(("article_6", "article_9", "article_10"), articles, strict=False)
    return "{ " + ", ".join(f"{article} = {code}" for article, code in named) + " }"
