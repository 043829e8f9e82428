"""Templates of a home folder: what is broken in one is found before it comes into force, with its file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from digest import home as homefolder
from digest.config import Config
from digest.editions import specimen, trial
from digest.editions.render import Renderer
from digest.errors import ConfigError
from digest.links import Links
from digest.watch import WatchedConfig
from tests.test_look import configure, home

__all__ = ["home"]

SHIPPED = Path(__file__).resolve().parents[2] / "templates"
Override = Callable[[str, str], Path]


@pytest.fixture
def override(home: Path) -> Override:
    """Writes a template into the home folder."""

    def write(name: str, source: str) -> Path:
        path = home / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        return path

    return write


def faults(home: Path) -> list[str]:
    config = homefolder.load(home, {})
    with pytest.raises(ConfigError) as caught:
        trial.examine(config)
    return [str(fault).removeprefix(f"{home}/templates/") for fault in caught.value.faults]


def shipped(name: str, old: str = "", new: str = "") -> str:
    source = (SHIPPED / name).read_text(encoding="utf-8")
    assert old in source
    return source.replace(old, new, 1) if old else source


def line_of(source: str, text: str) -> int:
    return source[: source.index(text)].count("\n") + 1


def mail(config: Config) -> str:
    links = Links(config.site.base_url, ("a secret for the tests only",))
    return Renderer(config.site, links, config.language, config.look).edition_mail(specimen.edition()).html


def test_a_home_without_templates_has_nothing_to_try(home: Path) -> None:
    config = homefolder.load(home, {})

    trial.examine(config)

    assert not config.look.templates
    assert ">The Economic Digest</h1>" in mail(config)


def test_a_template_of_the_home_folder_is_used_instead_of_ours(home: Path, override: Override) -> None:
    override("email/edition/body.html", shipped("email/edition/body.html", "<h1>", "<h1>Our own: "))

    config = homefolder.load(home, {})
    trial.examine(config)

    assert ">Our own: The Economic Digest</h1>" in mail(config)


def test_a_new_template_may_be_included_by_one_that_replaces_ours(home: Path, override: Override) -> None:
    override("email/base/imprint.html", '{% include "base/ours.html" %}\n')
    override("email/base/ours.html", '<p class="meta">{{ site.title }}, made by hand</p>\n')

    config = homefolder.load(home, {})
    trial.examine(config)

    assert "made by hand" in mail(config)


def test_colours_of_the_home_folder_are_those_of_mails_and_pages(home: Path) -> None:
    configure(home, '[look.light]\ntopic = "#00553a"\n[look.dark]\ntopic = "#7fd1ae"\n')

    config = homefolder.load(home, {})
    page = Renderer(config.site, Links("https://news.example", ("k",)), config.language, config.look).page(
        "error.html", heading="", sentence=""
    )

    assert mail(config).count("#00553a") > 2
    assert mail(config).count("#7fd1ae") > 2
    assert "#8a3a12" not in mail(config) + page
    assert "--topic: #00553a" in page
    assert "--topic: #7fd1ae" in page


@pytest.mark.parametrize(
    ("name", "old", "new", "wrong"),
    [
        ("email/edition/body.html", "{% endfor %}", "", "is no template"),
        ("email/edition/body.html", "| full_date", "| fulldate", "No filter named 'fulldate'"),
        ("email/edition/body.html", "{{ edition.title }}", "{{ editon.title }}", 'uses "editon"'),
        ("email/edition/body.html", "{{ edition.title }}", "{{ edition.titel }}", "has no attribute 'titel'"),
        ("email/edition/body.html", "base/why.html", "base/whi.html", 'needs the template "base/whi.html"'),
        ("email/edition/body.txt", "{{ edition.title | upper }}", "{{ edition.title.uper() }}", "no attribute 'uper'"),
        ("email/edition/subject.txt", "{{ edition | subject }}", "{{ 1 / 0 }}", "division by zero"),
        ("email/welcome/body.html", "| local_time(digest.zone)", "| local_time", "missing 1 required"),
        ("email/base/styles.css", ".page {", "@import url(https://fonts.example/a.css);\n.page {", 'holds "@import"'),
        ("web/edition.html", "{{ edition.date | full_date }}", "{{ edtion.date }}", 'uses "edtion"'),
        ("web/base.html", "{% block content %}", "{% block content %", "is no template"),
    ],
)
def test_a_broken_template_is_refused_with_its_file_and_line(
    name: str, old: str, new: str, wrong: str, home: Path, override: Override
) -> None:
    source = shipped(name, old, new)
    override(name, source)

    found = faults(home)

    assert all(fault.startswith(f"{name}:") for fault in found)
    assert any(wrong in fault for fault in found), found
    if new:
        assert int(found[0].split(":")[1]) >= line_of(source, new)


@pytest.mark.parametrize(
    ("name", "old", "new", "wrong"),
    [
        ("email/base/why.html", '<a href="__UNSUBSCRIBE__">', "<a>", 'the correction mail lacks "__UNSUBSCRIBE__"'),
        ("email/confirmation/body.txt", "{{ confirm_url | safe_url }}", "", "the confirmation mail lacks"),
        ("email/correction/body.html", '{% include "base/why.html" %}', "", 'the correction mail lacks "__UNSUB'),
        ("email/edition/body.html", '{{ link(item.url, item.title | headline, "headline") }}', "", "would be held"),
        (
            "web/_edition.html",
            "{% for item in section.items %}",
            "{% for item in section.items[:1] %}",
            "would be held",
        ),
    ],
)
def test_a_template_that_leaves_out_what_a_mail_must_have_is_refused(
    name: str, old: str, new: str, wrong: str, home: Path, override: Override
) -> None:
    override(name, shipped(name, old, new))

    assert any(wrong in fault for fault in faults(home))


def test_a_template_that_nothing_uses_is_taken_for_a_slip_of_the_pen(home: Path, override: Override) -> None:
    override("email/edition/bodi.html", "<p>x</p>")

    assert faults(home) == [
        'email/edition/bodi.html: is used by no template; perhaps "email/edition/body.html" is meant'
    ]


def test_a_template_that_is_no_text_is_refused(home: Path, override: Override) -> None:
    override("email/edition/body.html", "").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="cannot be read as UTF-8 text"):
        homefolder.load(home, {})


def test_a_broken_template_does_not_replace_what_is_in_force_and_a_mended_one_does(
    home: Path, override: Override
) -> None:
    watched = WatchedConfig(homefolder.load(home, {}), {}, trial.examine)
    before = watched()
    override("email/edition/body.html", shipped("email/edition/body.html", "<h1>", "<h1>{{ nothing }}"))

    with capture_logs() as logs:
        assert watched() is before
        assert watched() is before

    assert len(logs) == 1
    assert "body.html:" in logs[0]["reason"]
    assert "nothing" not in mail(watched())
    override("email/edition/body.html", shipped("email/edition/body.html", "<h1>", "<h1>Mended: "))
    assert "Mended: " in mail(watched())


def test_what_is_in_force_is_what_was_read_whatever_becomes_of_the_file(home: Path, override: Override) -> None:
    path = override("email/edition/body.html", shipped("email/edition/body.html", "<h1>", "<h1>Our own: "))
    config = homefolder.load(home, {})
    path.unlink()

    assert "Our own: " in mail(config)
