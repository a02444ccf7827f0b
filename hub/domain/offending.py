"""What may be said about offending: a few fields that help to help, and words that accuse and identify nobody (R72).

Some words go nowhere, whoever checked them: these say outright what must not be told. Others only look so, and ask
their author to look again, as words that look like a place do (R18): what is found may be innocent, and what is not
found may still accuse somebody.
"""

from __future__ import annotations

import re

from hub.domain.pinpoints import plainly

#: All that a service needs to help; no allegation, old conviction or victim has a field here.
OFFENDING_FIELDS = frozenset({
    "order_type", "order_ends", "appointment", "supervising_office", "licence_conditions_that_affect_help",
})  # fmt: skip
_NEVER = re.compile(
    r"(?i)\b(?:m\.?a\.?p\.?p\.?a\b|multi[- ]agency public protection|alleg(?:ed|edly|es?|ing|ations?)\b"
    r"|accus(?:ed|es?|ers?|ing|ations?)\b|spent conv|victim)"
)
#: Each line looks like one of the four: an allegation, an old conviction, somebody who was hurt, MAPPA.
_LOOK_AGAIN = re.compile(
    r"(?i)\b(?:"
    r"suspect(?:ed|s)?|suspicion|charged|charges|arrest(?:ed|s)?|investigat\w+|on bail|police bail|plead(?:s|ed)?"
    r"|not guilty|acquitt\w+|trial|no further action|complain(?:ts?|ed)|denie[sd]|reported to (?:the )?police"
    r"|never (?:proved|proven|charged)|rumou?rs?"
    r"|convict\w+|cautioned|caution for|(?:old|previous|past|earlier) (?:offen[cs]\w+|sentences?|crimes?|record)"
    r"|record (?:of|for|from)|(?:in|since|from|back in) (?:19[0-9]{2}|20[01][0-9])|years ago|rehabilitation period"
    r"|(?:as|when|since|was) (?:a |an |he was |she was |they were |i was )?(?:child|teenager|juvenile|youth)"
    r"|young offen\w+"
    r"|complainants?|injured part(?:y|ies)|witness\w*|survivors?"
    r"|(?:hit|hurt|attack|assault|stab|punch|rape|abuse|harass|stalk|rob|kick|strangle|burgle|threaten)\w*"
    r" (?:his|her|their|my|a|an|the|him|them|someone|somebody)"
    r"|(?:no|not to|any|make|must not) contact|(?:stay|keep) away|exclusion zone|restraining order|non[- ]molestation"
    r"|ex[- ](?:partner|wife|husband|girlfriend|boyfriend)"
    r"|level (?:[123]|one|two|three)|category (?:[1-4]|one|two|three|four)|visor"
    r"|sex(?:ual)? (?:offen|harm)\w*|shpo|sopo|public protection"
    r"|regist(?:er|ration|ered) (?:of |for |as )?(?:a )?sex\w*|notification requirements?"
    r")\b"
)


def not_for_sharing(text: str) -> bool:
    """Tell whether words name an allegation, a spent conviction, a victim or MAPPA: these go nowhere."""
    return _NEVER.search(plainly(text)) is not None


def look_again(text: str) -> bool:
    """Tell whether words look as if they told of one of those; errs towards yes."""
    read = plainly(text)
    return _NEVER.search(read) is not None or _LOOK_AGAIN.search(read) is not None
