"""Reads a team's answer from its form: what is missing or wrong is said by field, in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from hub.answer.choices import Choice
from hub.domain.answer import Answer

#: The longest that one field may be, in characters.
_MOST: Final[dict[str, int]] = {"owner": 120, "words": 4000}

_BROKEN: Final = re.compile("[\x00\ud800-\udfff]")
_MISSING: Final = {
    "owner": "Say who has this: a person, a team or a duty desk",
    "date": "Enter the date",
    "reason": "Choose the reason",
    "words": "Write an answer here",
}


def read_answer(
    choice: Choice, form: Mapping[str, str], today: date, *, coded_only: bool, owner: str
) -> tuple[Answer | None, dict[str, str]]:
    """Return the answer, or None with what is wrong by field.

    Where only codes may be said (R72) free words are left out whatever was posted, and `owner` stands for whoever has
    it.
    """
    wrong: dict[str, str] = {}
    said = {name: _whole(form.get(name, "")) for name in ("owner", "words")}
    for name, most in _MOST.items():
        if len(said[name]) > most:
            wrong[name] = f"Make this {most} characters or fewer"
    if coded_only:
        said = {"owner": owner if "owner" in choice.asks else "", "words": ""}
    when = _date(form, today, wrong) if "date" in choice.asks else None
    reason = _reason(choice, form)
    given = {"owner": said["owner"], "words": said["words"], "date": when, "reason": reason}
    for name in choice.asks:
        needed = name in choice.needs and not (coded_only and name == "words")
        if needed and not given[name] and name not in wrong:
            wrong[name] = _MISSING[name]
    if wrong:
        return None, wrong
    words_go = "words" in choice.asks
    return Answer(
        choice.state,
        owner=said["owner"] if "owner" in choice.asks else "",
        text=said["words"] if words_go else "",
        reason=reason,
        next_date=when,
        check_with_person=choice.check,
        do_not_tell_yet="wait" in choice.asks and form.get("wait") == "yes",
    ), {}


def _whole(text: str) -> str:
    """Return what was typed without what no database and no page holds: NUL, and half of a surrogate pair."""
    return _BROKEN.sub("\ufffd", text.replace("\r\n", "\n")).strip()


def _reason(choice: Choice, form: Mapping[str, str]) -> str:
    codes = [code for code, _ in choice.reasons]
    if "reason" not in choice.asks:
        return codes[0] if codes else ""
    return form["reason"] if form.get("reason") in codes else ""


def _date(form: Mapping[str, str], today: date, wrong: dict[str, str]) -> date | None:
    parts = [form.get(f"date-{part}", "").strip() for part in ("year", "month", "day")]
    if not any(parts):
        return None
    try:
        year, month, day = (int(part) for part in parts)
        found = date(year, month, day)
    except (ValueError, OverflowError):
        wrong["date"] = "Enter a real date, such as 27 3 2027"
        return None
    if found < today:
        wrong["date"] = "Enter today or a day that is still to come"
    elif (found - today).days > 3 * 366:
        wrong["date"] = "Enter a date within three years"
    return found
