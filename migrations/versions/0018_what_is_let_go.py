"""What is let go of an edition's ledger is counted with the edition, and letters are found by their age."""

import sqlalchemy as sa
from alembic import op

from digest.store.types import Json

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "by word, the deliveries and the feedback that are no longer kept"
    let_go = sa.Column("let_go", Json, nullable=False, server_default=sa.text("'{}'"), comment=comment)
    op.add_column("editions", let_go)
    op.create_index("ix_letters_taken_at", "letters", ["taken_at"])


def downgrade() -> None:
    op.drop_index("ix_letters_taken_at", "letters")
    op.drop_column("editions", "let_go")
