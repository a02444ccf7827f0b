"""A delivery's life on the hub's side: the states and the one table of moves that everything else is made from."""

from __future__ import annotations

from enum import StrEnum

from hub.domain.errors import IllegalTransition


class DeliveryState(StrEnum):
    """Where one parcel to one service is, as the hub sees it."""

    HELD = "held"  #: waiting for its connection to be mended
    QUEUED = "queued"  #: accepted and safe; waiting for its turn
    SENDING = "sending"  #: claimed: from this moment it counts as sent
    RETRYING = "retrying"  #: the service could not take it; it will be tried again
    IN_DOUBT = "in_doubt"  #: it may or may not have arrived; being checked, never sent blindly
    DELIVERED = "delivered"  #: the service's system has it
    DEAD_LETTERED = "dead_lettered"  #: it cannot be delivered; a person has been told
    CANCELLED = "cancelled"  #: consent ended or the sender cancelled before it went


class DeliveryEvent(StrEnum):
    """What can happen to a delivery."""

    ACCEPTED = "accepted"
    ACCEPTED_ON_HOLD = "accepted_on_hold"  #: accepted while its connection is held
    RESUMED = "resumed"
    CLAIMED = "claimed"
    WITHDRAWN = "withdrawn"  #: consent withdrawn, or the sender cancelled
    TOOK = "took"  #: Delivered
    RETRY_LATER = "retry_later"  #: RetryLater with attempts and time left
    GAVE_UP = "gave_up"  #: RetryLater with none left, or Rejected
    HALTED = "halted"  #: Halt: the connection is broken, the parcel is not
    DOUBTED = "doubted"  #: InDoubt, lease expired after the start, host died after the start
    UNSTARTED = "unstarted"  #: the host died before anything was sent
    FOUND = "found"  #: reconciled: it had arrived
    NOT_FOUND = "not_found"  #: reconciled: it had not arrived
    ANSWERED = "answered"  #: an authentic answer proves that it arrived


class DeliveryKind(StrEnum):
    """What a parcel is (R19, R41, R15)."""

    SHARE = "share"
    ADDENDUM = "addendum"
    CORRECTION = "correction"
    PLEASE_STOP_USING = "please_stop_using"
    REPLY = "reply"


_S, _E = DeliveryState, DeliveryEvent

#: (from, on) -> to; `None` is a delivery that does not exist yet. Architecture section 4.
MOVES: dict[tuple[DeliveryState | None, DeliveryEvent], DeliveryState] = {
    (None, _E.ACCEPTED): _S.QUEUED,
    (None, _E.ACCEPTED_ON_HOLD): _S.HELD,
    (_S.HELD, _E.RESUMED): _S.QUEUED,
    (_S.QUEUED, _E.CLAIMED): _S.SENDING,
    (_S.RETRYING, _E.CLAIMED): _S.SENDING,
    (_S.QUEUED, _E.WITHDRAWN): _S.CANCELLED,
    (_S.RETRYING, _E.WITHDRAWN): _S.CANCELLED,
    (_S.HELD, _E.WITHDRAWN): _S.CANCELLED,
    (_S.SENDING, _E.TOOK): _S.DELIVERED,
    (_S.SENDING, _E.RETRY_LATER): _S.RETRYING,
    (_S.SENDING, _E.GAVE_UP): _S.DEAD_LETTERED,
    (_S.SENDING, _E.HALTED): _S.QUEUED,
    (_S.SENDING, _E.DOUBTED): _S.IN_DOUBT,
    (_S.SENDING, _E.UNSTARTED): _S.QUEUED,
    (_S.IN_DOUBT, _E.FOUND): _S.DELIVERED,
    (_S.IN_DOUBT, _E.NOT_FOUND): _S.RETRYING,
    (_S.SENDING, _E.ANSWERED): _S.DELIVERED,
    (_S.RETRYING, _E.ANSWERED): _S.DELIVERED,
    (_S.IN_DOUBT, _E.ANSWERED): _S.DELIVERED,
}

#: Claimed from here, in the order they fell due.
CLAIMABLE = frozenset(s for (s, e) in MOVES if s and e is _E.CLAIMED)
#: Withdrawal stops these before anything leaves (R15).
WITHDRAWABLE = frozenset(s for (s, e) in MOVES if s and e is _E.WITHDRAWN)
#: No move leads out of these.
ENDED = frozenset(s for s in DeliveryState if not any(start is s for (start, _) in MOVES))
#: Not lost: the hub still owes this delivery something.
OPEN = frozenset(DeliveryState) - ENDED
#: The service may hold a copy: a withdrawal must ask it to stop using it.
MAY_HAVE_ARRIVED = frozenset({_S.SENDING, _S.IN_DOUBT, _S.DELIVERED})


def move(state: DeliveryState | None, event: DeliveryEvent) -> DeliveryState:
    """Return the state after `event`; raise `IllegalTransition` where the table has no such move."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise IllegalTransition(f"no move from {state or 'nothing'} on {event}") from None
