"""A story of published editions is found by its id."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEX, TABLE = "ix_edition_items_story_id", "edition_items"


def upgrade() -> None:
    op.create_index(op.f(INDEX), TABLE, ["story_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f(INDEX), table_name=TABLE)
