"""Reads an ITK3 acknowledgement: which message of ours it is about, and what its codes prove.

An infrastructure acknowledgement says what a system did (L2 at the most), a business acknowledgement what the practice
knows. That none comes is for the hub's clocks to notice. What arrives, in JSON or in XML, is read leniently: only what
ties it to our message is required (R35).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from hub.sdk import Answer, AnswerState, Inbound, Level
from hub.sdk.vocabulary import UNRECOGNISED, open_vocabulary
from hub_health_fhir.callbacks import NOT_PROCESSED, NOT_READ, Message, dig, items, words
from hub_health_fhir.fhir_xml import parse_message

#: What each code means in the hub's words (R61).
RESPONSES = open_vocabulary(files("hub_health_fhir") / "codes" / "itk3-responses.csv")

#: Processed by the system; and there already, which proves that an earlier one arrived, not what became of it.
SUCCESS, DUPLICATES = "20013", frozenset({"20007", "20008"})
#: Business acknowledgements begin with this; one of them says more than any infrastructure code beside it.
_BUSINESS = "3"
_DEATH = "30004"

#: Codes of one acknowledgement that are looked at.
_MOST = 50


def read_acknowledgement(message_id: str, body: bytes) -> Inbound:
    """Read an acknowledgement; raises `ValueError` for what is none, or does not say which message it is about."""
    message = parse_message(body)
    response = message.first("MessageHeader").get("response")
    about = words(dig(response, "identifier"), 100).lower().removeprefix("urn:uuid:")
    if not about:
        raise ValueError("acknowledges-nothing")
    failed = words(dig(response, "code")) in NOT_PROCESSED
    codes = sorted(_codes(message), key=_weight)
    if not codes or codes[0] == SUCCESS:
        return _of_system(message_id, about, failed=failed)
    if codes[0] in DUPLICATES:
        return Inbound(message_id, about, level=Level.L1)
    answer = RESPONSES.answer(codes[0])
    if answer == UNRECOGNISED and failed:
        return _of_system(message_id, about, failed=True)
    return Inbound(message_id, about, answers=(answer,))


def _of_system(message_id: str, about: str, *, failed: bool) -> Inbound:
    """What the response's own code says, where no ITK3 code says more."""
    if failed:
        unread = Answer(AnswerState.AWAITED, reason="receiver-could-not-process", text=NOT_READ)
        return Inbound(message_id, about, answers=(unread,))
    return Inbound(message_id, about, level=Level.L2)


def _codes(message: Message) -> Iterator[str]:
    """Yield the ITK3 codes of every outcome, whichever edition of the code system names them."""
    outcomes = (issue for outcome in message.all("OperationOutcome") for issue in items(outcome.get("issue")))
    codings = (coding for issue in outcomes for coding in items(dig(issue, "details", "coding")))
    for _, coding in zip(range(_MOST), codings, strict=False):
        code, system = words(dig(coding, "code"), 20), words(dig(coding, "system"), 200)
        if code and (not system or "itk" in system.lower()):
            yield code


def _weight(code: str) -> tuple[bool, bool, bool, str]:
    """Put first what says most: a death, then what the practice says, then what went wrong, then success."""
    return code != _DEATH, not code.startswith(_BUSINESS), code == SUCCESS, code


def expects(bundle: Any) -> set[str]:
    """Return which acknowledgements a message of ours asks for: `InfAckRequested`, `BusAckRequested`."""
    header = Message.parse(bundle).first("MessageHeader")
    keys = (key for extension in items(header.get("extension")) for key in items(extension.get("extension")))
    return {words(key.get("url")) for key in keys if key.get("valueBoolean") is True}
