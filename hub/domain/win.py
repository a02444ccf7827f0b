"""Wins and training: what helped, and what people want to learn, as codes that tell of nobody (R53, R55)."""

from __future__ import annotations

from enum import StrEnum


class Help(StrEnum):
    """In what way an answering team helped."""

    HELPED = "helped"
    ANSWERED_FAST = "answered_fast"
    MADE_IT_EASY = "made_it_easy"
    KEPT_IN_TOUCH = "kept_in_touch"
    FOUND_A_WAY = "found_a_way"
    WORKED_TOGETHER = "worked_together"


class Topic(StrEnum):
    """What somebody wants to learn more about; never who does (R55)."""

    CONSENT = "consent"
    WRITING_WHAT_PEOPLE_SAY = "writing_what_people_say"
    WHO_CAN_HELP = "who_can_help"
    HOUSING_RIGHTS = "housing_rights"
    MENTAL_HEALTH = "mental_health"
    SUBSTANCE_USE = "substance_use"
    DOMESTIC_ABUSE = "domestic_abuse"
    SAFEGUARDING = "safeguarding"
    TRAUMA = "trauma"
    USING_THE_SYSTEM = "using_the_system"


#: What these are counted as, beside what barriers are counted as.
WIN, TRAINING = "win", "training"
