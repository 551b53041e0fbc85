"""What users are searched by, and the order in which they are listed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add and fill the column; so far a user has a phone and an invite code alone, both ASCII."""
    op.add_column("users", sa.Column("search_key", sa.Text, server_default="", nullable=False))
    op.execute("UPDATE users SET search_key = coalesce(phone, '') || ' ' || lower(invite_code)")
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_users_created_at_id", "users")
    op.drop_column("users", "search_key")
