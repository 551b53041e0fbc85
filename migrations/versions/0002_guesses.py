"""Wrong guesses, each with the address it came from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "guesses",
        sa.Column("id", ID, nullable=False),
        sa.Column("challenge_id", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("guessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guesses"),
        sa.ForeignKeyConstraint(
            ["challenge_id"], ["challenges.id"], name="fk_guesses_challenge_id_challenges", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_guesses_challenge_id", "guesses", ["challenge_id"])
    op.create_index("ix_guesses_guessed_at", "guesses", ["guessed_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("guesses")
