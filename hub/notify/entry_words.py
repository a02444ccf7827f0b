"""What the operator and a team's champion are told when people have to look at how that team is reached (TH20)."""

from __future__ import annotations

from typing import Final

from hub.notify.words import Words

#: By why an entry is held: what is wrong, in a sentence.
_WHY: Final = {
    "entry-unapproved": "Nobody has approved how a team is reached.",
    "entry-one-approval": "One person has approved how a team is reached. It takes two.",
    "entry-unsigned": "The approval of how a team is reached was not signed by this hub.",
    "entry-changed": "How a team is reached was changed since it was approved.",
    "entry-expired": "The approval of how a team is reached has come to its last day.",
}


def entry_held(reason: str) -> Words:
    """Say that nothing goes to one team until its entry was looked at; which team, the operator's command shows (R45).

    An empty `reason`: it was put right since.
    """
    if not reason.startswith("entry-"):
        lines = ["How a team is reached was looked at, and what waited goes on. There is nothing to do."]
    else:
        command = "renew" if reason == "entry-expired" else "approve"
        lines = [
            _WHY.get(reason, "How a team is reached has to be looked at."),
            "What is for it waits. Nothing is lost, and nothing goes to the wrong people.",
            "Champion: it is a team of yours. Ring the hub's operator, and ask which. Then ring that team. Is this "
            "still its name, its mailbox and its system?",
            f"Operator: `hub directory ls` shows which team. Look at its entry, and then run `hub directory {command}` "
            "with its id.",
            "Please do not reply: nobody would see it.",
        ]
    return Words("Is this still the right team?", "\n\n".join(lines) + "\n")
