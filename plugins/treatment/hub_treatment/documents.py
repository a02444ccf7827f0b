"""What a provider gets and gives: a referral as a page with one CSV line, and its answer from a CSV or JSON file."""

from __future__ import annotations

import json
from importlib.resources import files

from hub.sdk import Inbound
from hub.sdk.transports.answers import answer_of, read_rows
from hub.sdk.transports.page import render_page
from hub.sdk.transports.table import write_table
from hub.sdk.vocabulary import open_vocabulary

#: What a provider's words, and the codes of its monthly return, mean in ours (R61).
ANSWERS = open_vocabulary(files("hub_treatment") / "codes" / "answers.csv")

#: One line that a provider's staff can key in or import. No name, no birth date, no address: our reference ties it.
COLUMNS = (
    *("hub_key", "hub_reference", "referral_date", "referral_source", "main_substance", "second_substance"),
    *("route", "injecting", "agreed_to_be_referred"),
)


def make_page(body: bytes) -> bytes:
    """Return the parcel's document as the page that is sent; the same parcel is always the same bytes."""
    document = json.loads(body)
    row = document.get("row")
    return render_page(document, line=write_table(COLUMNS, [row]) if row else "")


def read_answer(message_id: str, body: bytes) -> Inbound:
    """Read an answer's one line: `hub_key`, `status`, and as far as given the rest of `answer_of`'s names.

    Raises `ValueError` when it names no key; a word that nobody has translated is kept as received (R35).
    """
    rows = read_rows(body)
    if len(rows) != 1:
        raise ValueError("an answer is one line")
    key, answer = answer_of(rows[0], ANSWERS)
    return Inbound(message_id, key, answers=(answer,))
