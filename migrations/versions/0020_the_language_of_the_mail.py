"""In which language a reader wants mail and pages."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    language = sa.Column(
        "language",
        sa.String(length=64),
        server_default=sa.text("''"),
        nullable=False,
        comment="a tag; empty: the site's",
    )
    op.add_column("subscriptions", language)


def downgrade() -> None:
    op.drop_column("subscriptions", "language")
