"""Users, challenges, sessions, messages, counters and locks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables and the rows of locks."""
    _make_users()
    _make_challenges()
    _make_sessions()
    _make_messages()
    op.create_table(
        "counters",
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("n", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", "window_start", name="pk_counters"),
    )
    locks = op.create_table(
        "locks",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("n", ID, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_locks"),
    )
    op.bulk_insert(locks, [{"name": "invites", "n": 0}, {"name": "first-admin", "n": 0}])


def downgrade() -> None:
    """Drop all of it."""
    for table in ("locks", "counters", "messages", "sessions", "challenges", "users"):
        op.drop_table(table)


def _make_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("phone", sa.String(16)),
        sa.Column("invite_code", sa.String(6), nullable=False),
        sa.Column("inviter_id", ID),
        sa.Column("invited_at", TIME),
        sa.Column("invitees_count", ID, server_default="0", nullable=False),
        sa.Column("role", sa.String(8), server_default="user", nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("email", sa.String(254)),
        sa.Column("first_name", sa.String(100)),
        sa.Column("last_name", sa.String(100)),
        sa.Column("language", sa.String(8)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("blocked_at", TIME),
        sa.Column("deleted_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("phone", name="uq_users_phone"),
        sa.UniqueConstraint("invite_code", name="uq_users_invite_code"),
        sa.ForeignKeyConstraint(["inviter_id"], ["users.id"], name="fk_users_inviter_id_users"),
        sa.CheckConstraint("inviter_id <> id", name="ck_users_inviter_is_another"),
        sa.CheckConstraint("(inviter_id IS NULL) = (invited_at IS NULL)", name="ck_users_inviter_with_time"),
        sa.CheckConstraint("invitees_count >= 0", name="ck_users_invitees_count_not_negative"),
        sa.CheckConstraint("role IN ('user', 'admin')", name="ck_users_role_known"),
    )
    op.create_index("ix_users_inviter_id_invited_at_id", "users", ["inviter_id", "invited_at", "id"])


def _make_challenges() -> None:
    op.create_table(
        "challenges",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("phone", sa.String(16)),
        sa.Column("phone_key", sa.String(64), nullable=False),
        sa.Column("code_length", ID, nullable=False),
        sa.Column("bound", sa.String(8), nullable=False),
        sa.Column("user_id", ID),
        sa.Column("draw_id", ID),
        sa.Column("address", sa.String(64)),
        sa.Column("attempts", ID, server_default="0", nullable=False),
        sa.Column("sends", ID, server_default="1", nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_sent_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("redeemed_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_challenges"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_challenges_user_id_users"),
        sa.CheckConstraint(
            "purpose IN ('sign_in', 'phone_change', 'participation')", name="ck_challenges_purpose_known"
        ),
        sa.CheckConstraint("bound IN ('api', 'browser')", name="ck_challenges_bound_known"),
        sa.CheckConstraint("code_length IN (4, 8)", name="ck_challenges_code_length_known"),
        sa.CheckConstraint("attempts BETWEEN 0 AND 3", name="ck_challenges_attempts_within_three"),
    )
    op.create_index("ix_challenges_phone_key_created_at", "challenges", ["phone_key", "created_at"])


def _make_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("token_hash", sa.String(64)),
        sa.Column("refresh_no", ID, server_default="0", nullable=False),
        sa.Column("refreshed_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("second_factor_at", TIME),
        sa.Column("user_agent", sa.String(255)),
        sa.Column("address", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users"),
        sa.CheckConstraint("kind IN ('api', 'browser')", name="ck_sessions_kind_known"),
        sa.CheckConstraint("(kind = 'browser') = (token_hash IS NOT NULL)", name="ck_sessions_browser_has_token"),
    )
    op.create_index("ix_sessions_user_id_created_at", "sessions", ["user_id", "created_at"])


def _make_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("phone", sa.String(16)),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("challenge_id", sa.String(32)),
        sa.Column("text", sa.Text),
        sa.Column("state", sa.String(16), server_default="queued", nullable=False),
        sa.Column("priority", ID, server_default="0", nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("taken_until", TIME),
        sa.Column("attempts", ID, server_default="0", nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("provider", sa.String(32)),
        sa.Column("provider_ref", sa.String(64)),
        sa.Column("cost", sa.Numeric(10, 2)),
        sa.Column("error", sa.String(64)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.ForeignKeyConstraint(
            ["challenge_id"], ["challenges.id"], name="fk_messages_challenge_id_challenges", ondelete="SET NULL"
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'delivered', 'failed', 'expired', 'unknown')", name="ck_messages_state_known"
        ),
    )
    op.create_index("ix_messages_state_priority_due_at", "messages", ["state", "priority", "due_at"])
    op.create_index("ix_messages_challenge_id", "messages", ["challenge_id"])
