"""The verbs of the answer pages, bound once to the codes, links and mailboxes of each service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hub.answering import AnswerPage
from hub.services.answer_on_page import answer_on_page
from hub.services.open_link import open_link
from hub.services.ports import Vault
from hub.services.renew_link import forward_link, renew_link


@dataclass(frozen=True, slots=True)
class PageVerbs:
    """What the answer pages do, beside the pages by service."""

    pages: Mapping[str, AnswerPage]
    open: Callable[[Any, Any], Any]
    renew: Callable[[Any, Any], Any]
    forward: Callable[[Any, Any], Any]
    answer: Callable[[Any, Any], Any]


def page_verbs(pages: Mapping[str, AnswerPage], vault: Vault) -> PageVerbs:
    """Bind the verbs to the pages of the services that have one."""
    codes = {name: page.code for name, page in pages.items()}
    lasts = {name: page.link_lasts for name, page in pages.items()}
    mailboxes = {name: page.mailboxes for name, page in pages.items()}
    return PageVerbs(
        pages,
        partial(open_link, codes=codes),
        partial(renew_link, vault=vault, lasts=lasts),
        partial(forward_link, vault=vault, lasts=lasts, mailboxes=mailboxes),
        partial(answer_on_page, vault=vault),
    )
