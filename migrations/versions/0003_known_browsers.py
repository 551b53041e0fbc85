"""Whether a challenge was asked from a browser that had signed in with its phone before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the challenges there are were asked by browsers and clients not known."""
    op.add_column("challenges", sa.Column("known", sa.Boolean, server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("challenges", "known")
