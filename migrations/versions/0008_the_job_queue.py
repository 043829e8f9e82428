"""What Procrastinate keeps its jobs in; on PostgreSQL alone.

These are the engine's own scripts, each of which it ships for ever, up to the one named here. So the schema depends on
our revision and not on which release of the engine happens to be installed when somebody migrates. A release that
brings further scripts needs a revision of ours that runs those; a test says so.
"""

from importlib import resources

from alembic import op

from digest.errors import DatabaseUnreachable

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCRIPTS = "procrastinate.sql.migrations"
LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    try:
        folder = resources.files(SCRIPTS)
    except ModuleNotFoundError as error:
        wanted = "`pip install 'economic-digest[postgres]'` brings what PostgreSQL needs"
        raise DatabaseUnreachable(bind.engine.url.render_as_string(), wanted) from error
    scripts = {script.name: script for script in folder.iterdir() if script.name.endswith(".sql")}
    driver = bind.connection.driver_connection
    assert driver is not None
    for name in sorted(name for name in scripts if name <= LAST):
        # Each holds several statements, which only the driver itself takes in one.
        driver.execute(scripts[name].read_text(encoding="utf-8"))


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in ("periodic_defers", "events", "jobs", "workers"):
        op.execute(f"DROP TABLE procrastinate_{table} CASCADE")
    op.execute(
        """
        DO $$
        DECLARE gone record;
        BEGIN
            FOR gone IN SELECT oid::regprocedure AS name FROM pg_proc
                WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = current_schema()::regnamespace
            LOOP
                EXECUTE 'DROP FUNCTION ' || gone.name;
            END LOOP;
            FOR gone IN SELECT oid::regtype AS name FROM pg_type
                WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c')
                AND typnamespace = current_schema()::regnamespace
            LOOP
                EXECUTE 'DROP TYPE ' || gone.name || ' CASCADE';
            END LOOP;
        END
        $$
        """
    )
