"""Tries out a look before it comes into force: what is broken in a template of the home folder is found here, not by readers.

A template is read, compared with ours for the names it uses, and every mail is rendered from an invented edition.
"""

import difflib
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta, nodes

from digest import resources
from digest.config import Config
from digest.editions import proof, specimen
from digest.editions.letters import Managed, Notice, Proposal
from digest.editions.render import Renderer
from digest.errors import ConfigError, Fault
from digest.home import TEMPLATES
from digest.links import Links
from digest.look import Template
from digest.model import Approval, Correction, Edition, Mark, Rendered

_REMOTE = re.compile(r"@import\b|<link\b|<script\b", re.IGNORECASE)
_NEEDING = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)
# What is tried out goes to nobody, so its links need no secret.
_KEYS = ("a trial goes to nobody",)


def examine(config: Config) -> None:
    """Find what is broken in the templates that a home folder has instead of ours.

    Raises:
        ConfigError: something is; holds every fault, with its file and line.
    """
    own = config.look.templates
    if not own:
        return
    renderer = Renderer(config.site, Links(config.site.base_url, _KEYS), config.language, config.look)
    faults = [fault for name, template in own.items() for fault in _read(name, template, renderer.environment(name))]
    if not faults:
        faults += _unused(config, renderer)
        faults += _rendered(config, renderer)
    if faults:
        raise ConfigError(tuple(faults))


def _read(name: str, template: Template, environment: Environment) -> Iterator[Fault]:
    """What is wrong with a template by itself, or beside ours of the same name."""
    try:
        tree = environment.parse(template.source, name, str(template.path))
        environment.compile(template.source, name, str(template.path))
    except TemplateSyntaxError as error:
        yield Fault(template.path, error.lineno, f"is no template: {error.message}")
        return
    unknown = meta.find_undeclared_variables(tree) - set(environment.globals) - _given(name, environment)
    for used in tree.find_all(nodes.Name):
        if used.name in unknown:
            unknown.discard(used.name)
            yield Fault(template.path, used.lineno, f'uses "{used.name}", which it is not given')
    for statement in tree.find_all(_NEEDING):
        for wanted in _wanted(statement):
            if not _exists(wanted, environment):
                yield Fault(template.path, statement.lineno, f'needs the template "{wanted}", and there is none')
    if name.startswith("email/"):
        for number, line in enumerate(template.source.splitlines(), start=1):
            if found := _REMOTE.search(line):
                yield Fault(template.path, number, f'holds "{found[0]}", which mail programs do not follow')


def _given(name: str, environment: Environment) -> set[str]:
    """What a template can use: what ours of its name does, or any of ours where it is new, and what these set."""
    folder = resources.folder("templates")
    shipped = {
        path.relative_to(folder).as_posix(): environment.parse(path.read_text(encoding="utf-8"))
        for path in (folder / name.partition("/")[0]).rglob("*.*")
    }
    set_by_them = {node.name for tree in shipped.values() for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    asked_of = [shipped[name]] if name in shipped else shipped.values()
    return set_by_them.union(*(meta.find_undeclared_variables(tree) for tree in asked_of))


def _wanted(node: nodes.Node) -> Iterator[str]:
    """The templates that a statement names as they are called."""
    template = getattr(node, "template", None)
    if isinstance(template, nodes.Const) and isinstance(template.value, str):
        yield template.value


def _exists(name: str, environment: Environment) -> bool:
    try:
        environment.get_template(name)
    except TemplateNotFound:
        return False
    except TemplateSyntaxError:
        pass
    return True


def _unused(config: Config, renderer: Renderer) -> Iterator[Fault]:
    """Templates that have a name of none of ours and that no other of the home folder needs."""
    folder = resources.folder("templates")
    ours = [path.relative_to(folder).as_posix() for kind in ("email", "web") for path in (folder / kind).rglob("*.*")]
    needed = {
        f"{name.partition('/')[0]}/{wanted}"
        for name, template in config.look.templates.items()
        for node in renderer.environment(name).parse(template.source).find_all(_NEEDING)
        for wanted in _wanted(node)
    }
    for name in config.look.templates.keys() - set(ours) - needed:
        near = difflib.get_close_matches(name, ours, n=1)
        meant = f'; perhaps "{near[0]}" is meant' if near else ""
        yield Fault(config.look.templates[name].path, 0, f"is used by no template{meant}")


@dataclass(frozen=True, slots=True)
class _Try:
    """A mail that is rendered, and what must be in both of its parts."""

    kind: str
    render: Callable[[], Rendered]
    musts: tuple[str, ...]


def _tries(config: Config, renderer: Renderer, edition: Edition) -> Iterable[_Try]:
    digest = config.digests[0]
    url = f"{config.site.base_url}/trial"
    at, story = specimen.PRESS, edition.items[0].story_id
    managed = Managed(digest.title, f"{url}/preferences", f"{url}/unsubscribe")
    proposal = Proposal(at, Approval.UNLESS_HELD, f"{url}/approve", f"{url}/hold", f"{url}/desk", ("A",), ("B",))
    notice = Notice("What happened", "Why it did.", ("Do this",), since=at, details=("A line",))
    correction = Correction(edition.id, story, "It was so.", "An editor", at)
    return (
        _Try("edition", partial(renderer.edition_mail, edition), (Mark.UNSUBSCRIBE,)),
        _Try("confirmation", partial(renderer.confirmation_mail, digest, f"{url}/confirm"), (f"{url}/confirm",)),
        _Try("welcome", partial(renderer.welcome_mail, digest, at), (Mark.UNSUBSCRIBE,)),
        _Try(
            "manage",
            partial(renderer.manage_mail, [managed]),
            (managed.preferences_url, managed.unsubscribe_url),
        ),
        _Try("data", partial(renderer.data_mail, f"{url}/data"), (f"{url}/data", Mark.UNSUBSCRIBE)),
        _Try("new_address", partial(renderer.new_address_mail, f"{url}/new"), (f"{url}/new",)),
        _Try("old_address", partial(renderer.old_address_mail, f"{url}/old"), (f"{url}/old", Mark.UNSUBSCRIBE)),
        _Try("known_address", renderer.known_address_mail, (Mark.PREFERENCES, Mark.UNSUBSCRIBE)),
        _Try("notice", partial(renderer.notice_mail, notice), (notice.steps[0],)),
        _Try(
            "proposal",
            partial(renderer.proposal_mail, edition, proposal),
            (proposal.approve_url, proposal.hold_url),
        ),
        _Try(
            "correction", partial(renderer.correction_mail, edition, [correction]), (correction.text, Mark.UNSUBSCRIBE)
        ),
    )


def _rendered(config: Config, renderer: Renderer) -> Iterator[Fault]:
    """What goes wrong when the mails are made, and what they then lack."""
    edition = replace(specimen.edition(), digest=config.digests[0].slug)
    whole, told = True, set[tuple[Path, int]]()
    for one in _tries(config, renderer, edition):
        try:
            mail = one.render()
        except Exception as error:  # noqa: BLE001  # whatever a template can raise is its fault, and said with its place
            whole = False
            path, line = _place(error, config)
            # A template that several mails are made from is told of once.
            if (path, line) not in told:
                yield Fault(path, line, f"the {one.kind} mail cannot be made from it: {error}")
            told.add((path, line))
            continue
        for part, text in (("html", mail.html), ("txt", mail.text)):
            for must in one.musts:
                if must not in text:
                    whole = False
                    yield Fault(_body(config, one.kind, part), 0, f'the {one.kind} mail lacks "{must}"')
    if whole:
        found = proof.findings(config, edition, (), (specimen.PICTURE.name,))
        for finding in found:
            if finding.refuses:
                yield Fault(config.home / TEMPLATES, 0, f"an edition would be held: {finding.sentence}")


def _place(error: Exception, config: Config) -> tuple[Path, int]:
    """The innermost line of a template of the home folder that an error came from."""
    paths = {str(template.path): template.path for template in config.look.templates.values()}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in paths]
    return (paths[frames[-1].filename], frames[-1].lineno or 0) if frames else (config.home / TEMPLATES, 0)


def _body(config: Config, kind: str, part: str) -> Path:
    template = config.look.templates.get(f"email/{kind}/body.{part}")
    return template.path if template else config.home / TEMPLATES
