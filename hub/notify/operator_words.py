"""What the operator is told by email: which command shows more, and what to do; ids and references only (R45)."""

from __future__ import annotations

from hub.notify.words import Words
from hub.services.ports import Row
from hub.services.tell import UNREADABLE


def of(notice: Row, share: Row | None) -> Words | None:
    """Return the words of a notice that is for the operator alone; None for any other topic."""
    if notice["topic"] == "audit.unsealed":
        return _words(
            "Nothing is sent: the audit log is not sealed",
            "The hub could not seal its audit log for more than a minute. What it was sent is kept, and waits.",
            "Look for `sealer` in its log, and mend what it names. Then it goes on by itself. "
            "To see whether the log is whole: `hub audit verify`.",
        )
    if notice["topic"] == UNREADABLE:
        return _words(
            "Mail to one of your readers is refused",
            "A mail server says that it will not have mail for somebody who follows up. What was with them has gone to "
            "whoever is next.",
            "To see who it is: `hub mail ls`. Ring them, and put their address in the partnership's file right.",
        )
    return None if share is None else _of_share(notice, share)


def _of_share(notice: Row, share: Row) -> Words | None:
    reference = share["reference"]
    match notice["topic"]:
        case "alert.unsent":
            return _words(
                f"An alert reached nobody: {reference}",
                "An alert could not be emailed to its champion, and nobody else was told.",
                "Run `hub alerts`, ring the champion, and put the address in the partnership's file right.",
            )
        case "webhook.gone":
            return _words(
                f"A case system takes no more notices: {reference}",
                "The address of the system that sent this says that it is gone (410). Its answers wait in the hub.",
                f"Run `hub trace {reference}` to see whose it is. Ask its owner for the new address, and put it in the "
                "partnership's file.",
            )
        case "wrong_team":
            return _words(
                f"It came to the wrong team: {reference}",
                "A team opened its link, said that this should not have come to it, and switched the link off.",
                f"Run `hub trace {reference}` to see which service it was, and ring that team and whoever sent it. Put "
                "the service's mailbox right before anything else goes there, and tell your data protection lead.",
            )
        case "in_doubt":
            delivery = notice["delivery_id"]
            return _words(
                f"Nobody can say if it arrived: {reference}",
                "The hub has stopped asking whether this arrived, and will not send it again by itself.",
                f"Ring the service, and say the reference {reference}. Then run "
                f"`hub delivery settle {delivery} --arrived` or `--not-arrived`. To see more: `hub trace {reference}`.",
            )
    return None


def without_link(told: Words, link: str, reference: str) -> Words:
    """Return an alert's e-mail as the operator gets it, who has no part in the console: a command, and no link."""
    text = told.text.replace(link, f"To see more: `hub trace {reference}`.")
    return Words(told.subject, text.replace("this email and its link name nobody", "this email names nobody"))


def _words(subject: str, *lines: str) -> Words:
    return Words(subject, "\n\n".join(lines) + "\n")
