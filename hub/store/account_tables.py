"""The tables of signing in: accounts of the partnership's people, their sessions, and how often somebody guessed."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from hub.store.columns import Instant, identifier, sealed, wrapped_key
from hub.store.own_tables import metadata

#: Of a person by their id in the partnership's file; whoever signs in elsewhere has one only once it was disabled.
accounts = Table(
    "accounts",
    metadata,
    identifier(),
    Column("person", String(64), nullable=False, unique=True),
    Column("password", String(256)),  # an argon2id hash; none until the link was used
    wrapped_key(),
    sealed("secret", nullable=True),  # what the codes of the person's app are made from
    Column("code_step", Integer),  # the half minute of the last code that was used: none works twice
    Column("link", String(64), unique=True),  # keyed hash of the one-time link that sets the password
    Column("link_until", Instant),
    Column("made_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

#: Of each, a keyed hash of what its cookie holds, so that the table opens nothing. No address, and no browser's name.
sessions = Table(
    "sessions",
    metadata,
    identifier(),
    Column("token", String(64), nullable=False, unique=True),  # keyed hash
    Column("person", String(64), nullable=False, index=True),
    Column("way", String(9), nullable=False),  # password, or elsewhere: the partnership's own sign-in
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),  # to the minute
    Column("until", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
)

#: How often a name, or an address, was tried since an instant: both as keyed hashes, dropped within the hour.
guesses = Table(
    "guesses",
    metadata,
    Column("kind", String(8), primary_key=True),  # name or address
    Column("token", String(64), primary_key=True),  # keyed hash
    Column("number", Integer, nullable=False),
    Column("since", Instant, nullable=False, index=True),
)
