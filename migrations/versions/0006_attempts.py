"""Each attempt to hand a message to a provider."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_attempts_message_id_messages", ondelete="CASCADE"
        ),
        sa.CheckConstraint("outcome IN ('taken', 'not_taken', 'unclear', 'dropped')", name="ck_attempts_outcome_known"),
    )
    op.create_index("ix_attempts_message_id", "attempts", ["message_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("attempts")
