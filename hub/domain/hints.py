"""Find words that look as if they hold a place, a telephone number or a school, so that somebody looks again (R18).

Only hints: what is found may be innocent, and what is not found may still show where somebody is.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

from hub.domain.pinpoints import OUTWARD, pinpoints, plainly

_WORDS: Final = {
    name: tuple(words.split())
    for name, words in tomllib.loads(Path(__file__).with_name("place-words.toml").read_text(encoding="utf-8")).items()
}


def _any(name: str) -> str:
    """The words of a list as alternatives of a pattern; a full stop in one stands for a space."""
    return "|".join(word.replace(".", " ") for word in _WORDS[name])


_NAME = rf"(?!(?:{_any('no_place')})\b)[A-Z][a-z']+"
_PREPOSITIONS = _WORDS["prepositions"]

#: What stands before a name with a capital letter; read as it was written.
_BEFORE_NAMES = re.compile(
    "|".join((
        rf"(?:{'|'.join(f'[{each[0].upper()}{each[0]}]{each[1:]}' for each in _PREPOSITIONS)}) "
        rf"(?:the |a )?{_NAME}",
        rf"(?:{_any('moves')}) (?:(?:back|away|down|up|over|out|round) )*(?:in)?to (?:the )?{_NAME}",
        rf"(?:{_any('comes')}) from {_NAME}",
        rf"(?:{_any('stays')}|is|are) (?:\w+ ){{0,2}}(?:on|by|off|under) (?:the )?{_NAME}",
        rf"(?:in|area|postcode|around|near|from|to) {OUTWARD}\b(?! ?[/%])",
        r"(?:St\.?|Saint) [A-Z][a-z]+",
    ))
)  # fmt: skip
_BEGIN_NAMES = frozenset((*_PREPOSITIONS, *_WORDS["moves"], *_WORDS["comes"], *_WORDS["stays"], *_WORDS["begin_names"]))
#: A road or a building by its name.
_NAMED = re.compile(rf"\b(?!(?:The|My|A|This|Our) )[A-Z][\w'-]* (?:[A-Z][\w'-]* )?(?:{_any('named')})\b(?!')")

#: Read in small letters, whatever was written.
_SMALL = re.compile(
    "|".join((
        r"sixth[ -]form\b|pupil referral\b|night shelter|day cent(?:re|er)|drop[ -]in cent(?:re|er)|food bank\b"
        r"|(?:care|children'?s|nursing) homes?\b|guest houses?\b|b ?& ?[bq]\b|premier inn\b|caravan (?:park|site)\b"
        r"|camp site\b|safe house\b|community cent(?:re|er)\b|high st(?:reet)?\b"
        r"|(?:council|industrial|housing) estate\b|retail park\b",
        r"(?:near(?:by)?|next (?:door )?to|opposite|behind|beside|(?:a)?round the corner from|across (?:the road )?from"
        r"|close to|in front of|outside|above|under(?:neath)?|by|at|off) (?:the |a |an |my |our |his |her |their )?"
        rf"(?:old |new |big |little |local )?(?:{_any('landmarks')})\b",
        r"(?:flat|apartment|apt|bedsit|room|unit|block|plot|caravan|pitch|door)s?\.? (?:no\.? ?|number )?[0-9]+[a-z]?\b"
        r"|house (?:no\.? ?|number )[0-9]+|(?:number|no\.?) ?[0-9]+ (?:on|in|at)\b|junction [0-9]+",
        r"[0-9]{1,4}[a-z]?,? [a-z]+ (?:road|rd|street|st|avenue|ave|lane|close|drive|way|court|place|terrace|gardens"
        r"|crescent|square|hill|grove|mews|row|walk|park)\b",
        r"(?:ring|call|text|phone|tel|mobile|reach|whatsapp)\b[^0-9]{0,20}[0-9][0-9 ]{4,}",
        r"(?:(?:oh|zero|one|two|three|four|five|six|seven|eight|nine|double|treble)\b[ ,-]*){6,}",
        rf"(?:{_any('stays')}) (?:in|near|at) (?!(?:{_any('no_town')})\b)[a-z]",
        rf"(?!(?:{_any('no_road')}) )[a-z']+ (?:{_any('roads')})\b",
    ))
)  # fmt: skip
_BEGIN_SMALL = frozenset((*_WORDS["begin_small"], *_WORDS["stays"]))
_ROADS = frozenset(_WORDS["roads"])
_ALONE = frozenset((*_WORDS["alone"], *_WORDS["towns"]))
_WORD = re.compile("[a-z]+|[0-9]+")
_ADDRESS = re.compile(r"[\w.+-]@[\w-]+\.\w|https?://|\bwww\.")


def hints(text: str) -> bool:
    """Tell whether `text` looks as if it holds a place, a telephone number or a school; errs towards yes."""
    if pinpoints(text):
        return True
    read = " ".join(plainly(text).split())
    small = read.lower()
    if len(small) != len(read):
        # A letter that grows when it is made small would move what stands after it.
        read = small
    return _NAMED.search(read) is not None or _ADDRESS.search(small) is not None or _any_word(read, small)


def _any_word(read: str, small: str) -> bool:
    """Look at each word, and only from one that begins a form at what follows it."""
    before = 0
    for found in _WORD.finditer(small):
        word, at = found.group(), found.start()
        if word in _ALONE:
            return True
        if (word in _BEGIN_SMALL or word.isdecimal()) and _SMALL.match(small, at) is not None:
            return True
        if word in _BEGIN_NAMES and _BEFORE_NAMES.match(read, at) is not None:
            return True
        if word in _ROADS and _SMALL.match(small, before) is not None:
            return True
        before = at
    return False
