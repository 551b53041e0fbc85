"""Whose account a message is about, and what finds the messages and challenges of a person."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the column and the indexes."""
    with op.batch_alter_table("messages") as table:
        table.add_column(sa.Column("user_id", ID))
        table.create_foreign_key("fk_messages_user_id_users", "users", ["user_id"], ["id"])
    op.create_index("ix_messages_user_id", "messages", ["user_id"])
    op.create_index("ix_messages_phone", "messages", ["phone"])
    op.create_index("ix_challenges_user_id", "challenges", ["user_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_challenges_user_id", "challenges")
    op.drop_index("ix_messages_phone", "messages")
    op.drop_index("ix_messages_user_id", "messages")
    with op.batch_alter_table("messages") as table:
        table.drop_constraint("fk_messages_user_id_users", type_="foreignkey")
        table.drop_column("user_id")
