"""The house keeps its order: imports point down the ladder, and each package has one home."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "digest"

# A module may import what stands on a lower rung, and its neighbours in its own folder.
LADDER = (
    ("digest.__main__",),
    ("digest.cli",),
    ("digest.demo",),
    ("digest.web", "digest.scheduler", "digest.checkup"),
    ("digest.tick",),
    (
        *("digest.delivery.deliver", "digest.delivery.preview", "digest.delivery.correspond", "digest.delivery.orders"),
        *("digest.delivery.queue", "digest.delivery.jobs", "digest.metrics", "digest.doctor"),
        "digest.retention",
    ),
    (
        *("digest.editions.publish", "digest.editions.due", "digest.editions.backtest", "digest.editions.pool"),
        *("digest.editions.order", "digest.webhooks"),
        *("digest.editions.illustrate", "digest.editions.standing"),
        *("digest.editions.calendars", "digest.editions.week"),
        *("digest.feeds.poll", "digest.feeds.books", "digest.subscribers"),
    ),
    ("digest.delivery", "digest.pictures", "digest.health"),
    ("digest.safe_mode", "digest.backup", "digest.editions.overdue"),
    ("digest.editions", "digest.feeds", "digest.ranking", "digest.store"),
    ("digest.watch", "digest.steady", "digest.logs"),
    ("digest.home",),
    ("digest.environment",),
    (
        *("digest.config", "digest.clock", "digest.links", "digest.spreadsheet"),
        *("digest.child", "digest.signing", "digest.webhook_signing", "digest.words", "digest.findings"),
    ),
    ("digest.language", "digest.look"),
    ("digest.resources", "digest.tomlfile"),
    ("digest.errors",),
    ("digest.model",),
    ("digest",),
)

HOMES = {
    "feedparser": ("digest/feeds/reading/parse.py",),
    "jinja2": ("digest/editions/render.py", "digest/editions/trial.py"),
    "babel": ("digest/language.py",),
    "premailer": ("digest/editions/render.py",),
    "apscheduler": ("digest/scheduler.py",),
    "sqlalchemy": ("digest/store/", "migrations/"),
    "dns": ("digest/doctor/dns.py",),
    "prometheus_client": ("digest/metrics.py",),
    "procrastinate": ("digest/delivery/jobs.py",),
    "alembic": ("digest/store/schema.py", "migrations/"),
    "aiohttp": ("digest/feeds/fetching/fetch.py",),
    "smtplib": (),
    "imaplib": ("digest/delivery/feedback/mailbox.py",),
    "cryptography": ("digest/signing.py",),
    "starlette": ("digest/web/",),
    "uvicorn": ("digest/web/",),
    "click": ("digest/cli/",),
    "rich": ("digest/cli/",),
    "nh3": ("digest/feeds/cleaning/",),
    "tomlkit": ("digest/feeds/lists/",),
    "itsdangerous": ("digest/links.py",),
    "feedgenerator": ("digest/editions/feed.py",),
    "icalendar": ("digest/editions/calendars.py",),
    "dateutil": ("digest/editions/calendars.py",),
    "PIL": ("digest/pictures/make.py",),
    "msgspec": ("digest/editions/pool.py", "digest/store/", "digest/subscribers/", "digest/web/api/"),
}
# Every verb holds an engine; naming its type is not speaking SQL.
NAMES_FOR_ALL = {"sqlalchemy": {"Engine", "Connection"}}

MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, set[str], ast.stmt]]:
    """Every import of a file as (module, imported names, statement); a submodule counts as the module it is."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, set(), node
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            for name in sorted(names):
                below = ROOT.joinpath(*node.module.split("."), name)
                if below.with_suffix(".py").exists() or below.is_dir():
                    yield f"{node.module}.{name}", set(), node
                    names.discard(name)
            if names:
                yield node.module, names, node


def rung(module: str) -> int:
    """How high a module stands, by the longest entry of the ladder that it is or lies in."""
    best, height = "", 0
    for distance, entries in enumerate(reversed(LADDER)):
        for entry in entries:
            if (module == entry or module.startswith(entry + ".")) and len(entry) >= len(best):
                best, height = entry, distance
    return height


def folder(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down_the_ladder(path: Path) -> None:
    module = name_of(path)
    wrong = [
        imported
        for imported, _, _ in imports(path)
        if imported.split(".")[0] == "digest" and folder(imported) != folder(module) and rung(imported) >= rung(module)
    ]

    assert wrong == [], f"{module} imports from its own rung or above"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_package_stays_in_its_home(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    strangers = [
        imported
        for imported, names, _ in imports(path)
        if (homes := HOMES.get(imported.split(".")[0])) is not None
        and not place.startswith(homes or ("nowhere",))
        and not (names and names <= NAMES_FOR_ALL.get(imported.split(".")[0], set()))
    ]

    assert strangers == [], f"{place} is not the home of these"


def test_nothing_imports_itself_in_a_circle() -> None:
    edges = {
        name_of(path): {imported for imported, _, _ in imports(path) if imported.startswith("digest")} - {name_of(path)}
        for path in MODULES
    }

    def circle(module: str, trail: tuple[str, ...]) -> tuple[str, ...] | None:
        if module in trail:
            return (*trail[trail.index(module) :], module)
        if module in done:
            return None
        found = next((way for below in edges.get(module, ()) if (way := circle(below, (*trail, module)))), None)
        done.add(module)
        return found

    done: set[str] = set()
    circles = [way for module in edges if (way := circle(module, ()))]

    assert circles == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_stand_at_the_top_of_the_file(path: Path) -> None:
    """An import inside a function hides a circle."""
    hidden = [ast.unparse(node) for _, _, node in imports(path) if node.col_offset > 0]

    assert hidden == []


def test_only_commands_print() -> None:
    printing = [
        name_of(path)
        for path in MODULES
        if not name_of(path).startswith("digest.cli")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert printing == []


def test_the_glossary_needs_nothing_but_the_standard_library() -> None:
    foreign = [m for m, _, _ in imports(PACKAGE / "model.py") if m.split(".")[0] not in sys.stdlib_module_names]

    assert foreign == []


def test_a_package_file_speaks_and_exports_nothing() -> None:
    for path in PACKAGE.glob("*/__init__.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))

        assert ast.get_docstring(tree), f"{path} does not say what may happen there"
        assert len(tree.body) == 1, f"{path} exports something"
