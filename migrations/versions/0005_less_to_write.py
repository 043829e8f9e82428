"""The ledger with as little to write as it needs: mixed in itself, and indexed only where something is left to do."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUEUED, LEASED, KEYED = (
    sa.text("state = 'queued'"),
    sa.text("lease_until IS NOT NULL"),
    sa.text("event_key IS NOT NULL"),
)
STATES = ("queued", "claimed", "offered", "sent", "failed", "unknown", "suppressed", "expired", "quarantined")


def upgrade() -> None:
    op.drop_index("ix_deliveries_state_not_before_mix", "deliveries")
    with op.batch_alter_table("deliveries") as table:
        table.drop_constraint("uq_deliveries_edition_id_address_key", type_="unique")
        table.drop_column("mix")
        table.drop_constraint(op.f("ck_deliveries_state"), type_="check")
        table.create_check_constraint(
            op.f("ck_deliveries_state"), " OR ".join(f"state = '{state}'" for state in STATES)
        )
        table.alter_column(
            "lease_until",
            existing_type=sa.DateTime(timezone=True),
            comment="null where nobody is at it and nothing is in doubt",
        )
    op.execute("UPDATE deliveries SET lease_until = NULL WHERE state NOT IN ('claimed', 'offered', 'unknown')")
    _index("ix_deliveries_queued", "deliveries", ["not_before", "id", "edition_id"], QUEUED)
    _index("ix_deliveries_leased", "deliveries", ["lease_until"], LEASED)
    with op.batch_alter_table("delivery_events") as table:
        table.drop_constraint("uq_delivery_events_event_key", type_="unique")
    _index("uq_delivery_events_event_key", "delivery_events", ["event_key"], KEYED, unique=True)
    # What the row of the delivery says itself.
    op.execute("DELETE FROM delivery_events WHERE kind = 'queued' AND attempt = 0 AND detail = ''")


def downgrade() -> None:
    op.drop_index("uq_delivery_events_event_key", "delivery_events")
    with op.batch_alter_table("delivery_events") as table:
        table.create_unique_constraint("uq_delivery_events_event_key", ["event_key"])
    op.drop_index("ix_deliveries_leased", "deliveries")
    op.drop_index("ix_deliveries_queued", "deliveries")
    with op.batch_alter_table("deliveries") as table:
        table.add_column(
            sa.Column(
                "mix",
                sa.Integer(),
                server_default="0",
                nullable=False,
                comment="claim order, so that a crash loop does not hit the same people",
            )
        )
        table.create_unique_constraint("uq_deliveries_edition_id_address_key", ["edition_id", "address_key"])
        table.alter_column("lease_until", existing_type=sa.DateTime(timezone=True), comment=None)
    op.execute("UPDATE deliveries SET mix = (subscriber_id * 7919 + edition_id * 104729) % 65536")
    op.create_index("ix_deliveries_state_not_before_mix", "deliveries", ["state", "not_before", "mix"])
    op.execute(
        "INSERT INTO delivery_events (delivery_id, kind, at, attempt, detail) "
        "SELECT id, 'queued', queued_at, 0, '' FROM deliveries"
    )


def _index(name: str, table: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
