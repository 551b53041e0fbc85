"""The state of a message while a provider is asked, and when its status is to be asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
BEFORE = "state IN ('queued', 'sent', 'delivered', 'failed', 'expired', 'unknown')"
AFTER = "state IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'expired', 'unknown')"


def upgrade() -> None:
    """Allow the state and add the columns."""
    with op.batch_alter_table("messages") as table:
        table.drop_constraint("ck_messages_state_known", type_="check")
        table.create_check_constraint("ck_messages_state_known", AFTER)
        table.add_column(sa.Column("checks", ID, server_default="0", nullable=False))
        table.add_column(sa.Column("check_at", sa.DateTime(timezone=True)))
    op.create_index("ix_messages_state_check_at", "messages", ["state", "check_at"])


def downgrade() -> None:
    """Let what was under way be queued again."""
    op.drop_index("ix_messages_state_check_at", "messages")
    op.execute("UPDATE messages SET state = 'queued' WHERE state = 'sending'")
    with op.batch_alter_table("messages") as table:
        table.drop_constraint("ck_messages_state_known", type_="check")
        table.create_check_constraint("ck_messages_state_known", BEFORE)
        table.drop_column("check_at")
        table.drop_column("checks")
