"""The only part of the hub that a connector plugin imports: contract, outcomes, manifest, guarded HTTP."""

from hub.domain.answer import Answer, AnswerState, Level
from hub.domain.delivery import DeliveryKind
from hub.domain.outcome import Delivered, Halt, InDoubt, Invite, Outcome, Rejected, RetryLater
from hub.sdk.connector import (
    CallbackRequest,
    Connector,
    Context,
    Inbound,
    Parcel,
    Register,
    Response,
    hookimpl,
)
from hub.sdk.settings import Settings

__all__ = [
    "Answer",
    "AnswerState",
    "CallbackRequest",
    "Connector",
    "Context",
    "Delivered",
    "DeliveryKind",
    "Halt",
    "InDoubt",
    "Inbound",
    "Invite",
    "Level",
    "Outcome",
    "Parcel",
    "Register",
    "Rejected",
    "Response",
    "RetryLater",
    "Settings",
    "hookimpl",
]
