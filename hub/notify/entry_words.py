"""What the operator and a team's champion are told when people have to look at how that team is reached (TH20)."""

from __future__ import annotations

from typing import Final

from hub.notify.words import Words

#: By why an entry is held: what is wrong, in a sentence.
_WHY: Final = {
    "entry-unapproved": "Nobody has approved how this team is reached.",
    "entry-one-approval": "One person has approved how this team is reached. It takes two.",
    "entry-unsigned": "The approval of how this team is reached was not signed by this hub.",
    "entry-changed": "How this team is reached was changed since it was approved.",
    "entry-expired": "The approval of how this team is reached has come to its last day.",
}


def entry_held(service: tuple[str, str], reason: str) -> Words:
    """Say that nothing goes to one team (`service` is its id and name) until its entry was looked at; no person's data.

    An empty `reason`: it was put right since.
    """
    service_id, name = service
    if not reason.startswith("entry-"):
        lines = [f"How {name} is reached was looked at, and what waited goes on. There is nothing to do."]
    else:
        command = "renew" if reason == "entry-expired" else "approve"
        lines = [
            f"{_WHY.get(reason, 'How this team is reached has to be looked at.')} The team is {name}.",
            "What is for it waits. Nothing is lost, and nothing goes to the wrong people.",
            "Champion: ring your team. Is this still its name, its mailbox and its system? Tell the hub's operator.",
            f"Operator: look at the team's entry, and then run `hub directory {command} {service_id}`. "
            "`hub directory ls` shows them all.",
            "Please do not reply: nobody would see it.",
        ]
    return Words(f"Is this still the right team? {name}", "\n\n".join(lines) + "\n")
