"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _index_where(name: str, table: str, columns: list[str], where: str) -> None:
    """Index only those rows of which this is so."""
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("share_id", sa.String(length=32), nullable=True),
        sa.Column("delivery_id", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("position", name=op.f("uq_audit_events_position")),
    )
    op.create_index(op.f("ix_audit_events_action"), "audit_events", ["action"])
    op.create_index(op.f("ix_audit_events_share_id"), "audit_events", ["share_id"])
    op.create_table(
        "checkpoints",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("chain", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=86), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("held_since", sa.BigInteger(), nullable=True),
        sa.Column("held_reason", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
    )
    op.create_table(
        "shares",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("trusted_person", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("ask", sa.String(length=8), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("held_since", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.String(length=12), nullable=True),
        sa.Column("remind_at", sa.BigInteger(), nullable=True),
        sa.Column("died_at", sa.BigInteger(), nullable=True),
        sa.Column("config_digest", sa.String(length=64), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=True),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("final_at", sa.BigInteger(), nullable=True),
        sa.Column("legal_hold_since", sa.BigInteger(), nullable=True),
        sa.Column("legal_hold_by", sa.String(length=64), nullable=True),
        sa.Column("legal_hold_reason", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.UniqueConstraint("reference", name=op.f("uq_shares_reference")),
    )
    op.create_index("ix_shares_partner_id_person", "shares", ["partner_id", "person"], unique=False)
    op.create_index(
        "ix_shares_partner_id_trusted_person", "shares", ["partner_id", "trusted_person", "sent_at"], unique=False
    )
    _index_where("ix_shares_sent_at", "shares", ["sent_at"], "data_key IS NOT NULL")
    _index_where("ix_shares_remind_at", "shares", ["remind_at"], "remind_at IS NOT NULL")
    _index_where("ix_shares_final_at", "shares", ["final_at"], "data_key IS NOT NULL AND final_at IS NOT NULL")
    op.create_table(
        "inbox",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("share_id", sa.String(length=32), nullable=True),
        sa.Column("data_key", sa.LargeBinary(), nullable=True),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'read', 'refused')", name=op.f("ck_inbox_state_listed")),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name=op.f("fk_inbox_share_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("connection_id", "message_id", name=op.f("uq_inbox_connection_id_message_id")),
    )
    op.create_index(op.f("ix_inbox_share_id"), "inbox", ["share_id"])
    op.create_index("ix_inbox_state_due_at", "inbox", ["state", "due_at"])
    _index_where("ix_inbox_received_at", "inbox", ["received_at"], "data_key IS NOT NULL")
    op.create_table(
        "held_shares",
        sa.Column("share_id", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name=op.f("fk_held_shares_share_id")),
        sa.PrimaryKeyConstraint("share_id", name=op.f("pk_held_shares")),
    )
    op.create_table(
        "trusted_people",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("trusted_person", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("seen", sa.String(length=64), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trusted_people")),
        sa.UniqueConstraint(
            "partner_id", "trusted_person", "person", name=op.f("uq_trusted_people_partner_id_trusted_person_person")
        ),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("share_id", sa.String(length=32), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("agreement", sa.String(length=64), nullable=False),
        sa.Column("need", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("returns", sa.JSON(), nullable=False),
        sa.Column("ending_told_at", sa.BigInteger(), nullable=True),
        sa.Column("terms", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('given', 'refused', 'withdrawn', 'expired', 'superseded', 'overridden')",
            name=op.f("ck_consents_state_listed"),
        ),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name=op.f("fk_consents_share_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_agreement"), "consents", ["agreement"])
    op.create_index(op.f("ix_consents_need"), "consents", ["need"])
    _index_where("ix_consents_ending", "consents", ["ends_at"], "state = 'given' AND ending_told_at IS NULL")
    op.create_index(op.f("ix_consents_record_id"), "consents", ["record_id"])
    op.create_table(
        "replies",
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("share_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name=op.f("fk_replies_share_id")),
        sa.PrimaryKeyConstraint("partner_id", "key", name=op.f("pk_replies")),
    )
    op.create_table(
        "lawful_bases",
        sa.Column("consent_id", sa.String(length=32), nullable=False),
        sa.Column("agreement", sa.String(length=80), nullable=False),
        sa.Column("assessment", sa.String(length=80), nullable=False),
        sa.Column("notice", sa.String(length=100), nullable=False),
        sa.Column("sender_article_6", sa.String(length=80), nullable=False),
        sa.Column("sender_article_9", sa.String(length=80), nullable=False),
        sa.Column("sender_article_10", sa.String(length=80), nullable=False),
        sa.Column("receiver_article_6", sa.String(length=80), nullable=False),
        sa.Column("receiver_article_9", sa.String(length=80), nullable=False),
        sa.Column("receiver_article_10", sa.String(length=80), nullable=False),
        sa.Column("override", sa.String(length=80), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_lawful_bases_consent_id")),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_lawful_bases")),
    )
    op.create_table(
        "consent_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("consent_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "state IN ('given', 'refused', 'withdrawn', 'expired', 'superseded', 'overridden')",
            name=op.f("ck_consent_events_state_listed"),
        ),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_consent_events_consent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_events")),
    )
    op.create_index(op.f("ix_consent_events_consent_id"), "consent_events", ["consent_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("share_id", sa.String(length=32), nullable=False),
        sa.Column("consent_id", sa.String(length=32), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("bare", sa.Boolean(), nullable=False),
        sa.Column("after", sa.String(length=32), nullable=True),
        sa.Column("linked_to", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer_state", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("case", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(length=2000), nullable=False),
        sa.Column("mapping", sa.String(length=80), nullable=False),
        sa.Column("content_type", sa.String(length=80), nullable=False),
        sa.Column("parcel_sha256", sa.String(length=64), nullable=False),
        sa.Column("parcel", sa.LargeBinary(), nullable=False),
        sa.Column("frame", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("may_have_left", sa.Boolean(), nullable=False),
        sa.Column("first_claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("receipt", sa.String(length=64), nullable=True),
        sa.Column("sealed_receipt", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "answer_state IN ('awaited', 'received', 'needs_info', 'accepted', 'in_progress', 'waiting_list', 'declined', 'redirect_suggested', 'signposted', 'could_not_reach', 'completed')",
            name=op.f("ck_deliveries_answer_state_listed"),
        ),
        sa.CheckConstraint(
            "kind IN ('share', 'addendum', 'correction', 'please_stop_using', 'reply')",
            name=op.f("ck_deliveries_kind_listed"),
        ),
        sa.CheckConstraint(
            "state IN ('held', 'queued', 'sending', 'retrying', 'in_doubt', 'delivered', 'dead_lettered', 'cancelled')",
            name=op.f("ck_deliveries_state_listed"),
        ),
        sa.ForeignKeyConstraint(["after"], ["deliveries.id"], name=op.f("fk_deliveries_after")),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_deliveries_consent_id")),
        sa.ForeignKeyConstraint(["linked_to"], ["deliveries.id"], name=op.f("fk_deliveries_linked_to")),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name=op.f("fk_deliveries_share_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("key", name=op.f("uq_deliveries_key")),
    )
    op.create_index("ix_deliveries_connection_id_receipt", "deliveries", ["connection_id", "receipt"])
    op.create_index("ix_deliveries_connection_id_state", "deliveries", ["connection_id", "state", "due_at"])
    op.create_index(op.f("ix_deliveries_consent_id"), "deliveries", ["consent_id"])
    op.create_index(op.f("ix_deliveries_share_id"), "deliveries", ["share_id"])
    op.create_index("ix_deliveries_state_lease_until", "deliveries", ["state", "lease_until"])
    op.create_table(
        "acknowledgements",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_acknowledgements_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgements")),
    )
    op.create_index(op.f("ix_acknowledgements_delivery_id"), "acknowledgements", ["delivery_id"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_alerts_state_listed")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_alerts_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("delivery_id", "level", "kind", name=op.f("uq_alerts_delivery_id_level_kind")),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("usual", sa.Boolean(), nullable=False),
        sa.Column("owner_missing", sa.Boolean(), nullable=False),
        sa.Column("reason_missing", sa.Boolean(), nullable=False),
        sa.Column("next_date_missing", sa.Boolean(), nullable=False),
        sa.Column("check_with_person", sa.Boolean(), nullable=False),
        sa.Column("do_not_tell_yet", sa.Boolean(), nullable=False),
        sa.Column("held_back", sa.JSON(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "state IN ('awaited', 'received', 'needs_info', 'accepted', 'in_progress', 'waiting_list', 'declined', 'redirect_suggested', 'signposted', 'could_not_reach', 'completed')",
            name=op.f("ck_answers_state_listed"),
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_answers_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_delivery_id"), "answers", ["delivery_id"])
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_delivery_id"), "attempts", ["delivery_id"])
    op.create_table(
        "clocks",
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("agreed_by", sa.String(length=200), nullable=False),
        sa.Column("agreed_on", sa.String(length=10), nullable=False),
        sa.CheckConstraint("state IN ('running', 'stopped', 'passed')", name=op.f("ck_clocks_state_listed")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_clocks_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "level", name=op.f("pk_clocks")),
    )
    op.create_index("ix_clocks_state_due_at", "clocks", ["state", "due_at"])
    op.create_table(
        "rings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("picked_up_at", sa.BigInteger(), nullable=True),
        sa.Column("told_late_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('please_ring_me', 'safety')", name=op.f("ck_rings_kind_listed")),
        sa.CheckConstraint("state IN ('picked_up', 'waiting')", name=op.f("ck_rings_state_listed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rings")),
    )
    op.create_index("ix_rings_state_due_at", "rings", ["state", "due_at"])
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=80), nullable=False),
        sa.Column("share_id", sa.String(length=32), nullable=True),
        sa.Column("delivery_id", sa.String(length=32), nullable=True),
        sa.Column("alert_id", sa.String(length=32), nullable=True),
        sa.Column("ring_id", sa.String(length=32), nullable=True),
        sa.Column("connection_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'retrying', 'sent', 'dead_lettered', 'cancelled')",
            name=op.f("ck_notices_state_listed"),
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_notices_alert_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_notices_delivery_id")),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name=op.f("fk_notices_share_id")),
        sa.ForeignKeyConstraint(["ring_id"], ["rings.id"], name=op.f("fk_notices_ring_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_channel_state_due_at", "notices", ["channel", "state", "due_at"])
