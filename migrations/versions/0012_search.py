"""Stories of published editions are found by their words."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from digest.store import search_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
ROWS_AT_ONCE = 1000
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Each word of a text and its place. The database's own reading of text would depend on its locale.
VECTOR = """
CREATE FUNCTION search_vector(words text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(string_agg(
        '''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || ''':' || least(place, 16383), ' '
    ), '')::tsvector
    FROM unnest(string_to_array(words, ' ')) WITH ORDINALITY AS told (word, place) WHERE word <> ''
$$
"""
ON_POSTGRESQL = (
    VECTOR,
    "ALTER TABLE search_texts ADD COLUMN search_vector tsvector GENERATED ALWAYS AS (search_vector(words)) STORED",
    "CREATE INDEX search_index ON search_texts USING gin (search_vector)",
    # By the most frequent words it is decided whether to go by the index or by the newest rows.
    "ALTER TABLE search_texts ALTER COLUMN search_vector SET STATISTICS 1000",
)

# The words are folded and parted by blanks already, so nothing is left to do for a tokenizer.
ON_SQLITE = (
    """CREATE VIRTUAL TABLE search_index USING fts5 (
        words, content='search_texts', content_rowid='id', columnsize=0, prefix='4 5', tokenize="ascii tokenchars ':-'"
    )""",
    """CREATE TRIGGER search_texts_added AFTER INSERT ON search_texts BEGIN
        INSERT INTO search_index (rowid, words) VALUES (new.id, new.words);
    END""",
    """CREATE TRIGGER search_texts_removed AFTER DELETE ON search_texts BEGIN
        INSERT INTO search_index (search_index, rowid, words) VALUES ('delete', old.id, old.words);
    END""",
    """CREATE TRIGGER search_texts_changed AFTER UPDATE ON search_texts BEGIN
        INSERT INTO search_index (search_index, rowid, words) VALUES ('delete', old.id, old.words);
        INSERT INTO search_index (rowid, words) VALUES (new.id, new.words);
    END""",
)


def upgrade() -> None:
    op.create_table(
        "search_texts",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("words", sa.Text(), nullable=False, comment="folded, a blank between any two"),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_search_texts_edition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_texts")),
    )
    op.create_index(op.f("ix_search_texts_edition_id"), "search_texts", ["edition_id"])
    for statement in ON_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else ON_SQLITE:
        op.get_bind().exec_driver_sql(statement)
    _fill()


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        op.execute("DROP TABLE search_index")
    op.drop_table("search_texts")
    if not sqlite:
        op.execute("DROP FUNCTION search_vector(text)")


def _fill() -> None:
    """What has been published so far, in the words of the running release, by which it will be asked for."""
    connection = op.get_bind()
    texts = sa.table("search_texts", sa.column("id", KEY), sa.column("edition_id", KEY), sa.column("words", sa.Text()))
    found = _texts(connection)
    while batch := list(islice(found, ROWS_AT_ONCE)):
        connection.execute(texts.insert(), batch)


def _texts(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    editions = sa.text("SELECT id, date, quotes, events FROM editions WHERE state = 'frozen'")
    for row in connection.execute(editions.columns(date=sa.Date(), quotes=JSON, events=JSON)).all():
        events = (event[name] for event in row.events for name in ("title", "calendar"))
        said = search_index.around(row.date, (quote["name"] for quote in row.quotes), events)
        yield {"id": search_index.key(row.date, row.id, 0), "edition_id": row.id, "words": said}
    corrected = defaultdict(list)
    for row in connection.execute(sa.text("SELECT edition_id, story_id, text FROM corrections ORDER BY at, id")):
        corrected[row.edition_id, row.story_id].append(row.text)
    items = sa.text(
        """
        SELECT edition_id, date, place, story_id, section, edition_items.title, summary, publisher, "update", also, topics
        FROM edition_items JOIN editions ON editions.id = edition_id WHERE state = 'frozen' AND place <= length
        ORDER BY edition_id, place
        """
    ).columns(date=sa.Date(), update=JSON, also=JSON, topics=JSON)
    with connection.execute(items, execution_options={"yield_per": ROWS_AT_ONCE}) as stories:
        for row in stories:
            also = [(other["title"], other["publisher"]) for other in row.also]
            news = row.update["news"] if row.update else ""
            told = (
                row.title,
                row.summary,
                news,
                *(title for title, _ in also),
                *corrected[row.edition_id, row.story_id],
            )
            publishers = (row.publisher, *(publisher for _, publisher in also))
            yield {
                "id": search_index.key(row.date, row.edition_id, row.place),
                "edition_id": row.edition_id,
                "words": search_index.of_story(told, publishers, row.section, row.topics),
            }
