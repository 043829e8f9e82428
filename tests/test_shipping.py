"""What leaves the house works elsewhere: the wheel has all it needs, and the examples of operation name what exists."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from digest.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
COMPOSED = ("compose.yaml", "compose.large.yaml")


def composed(name: str) -> dict[str, dict[str, Any]]:
    """The containers of a compose file that run this service."""
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / name).read_text())["services"]
    return {name: one for name, one in services.items() if one["image"] == "economic-digest"}


def in_pods() -> Iterator[dict[str, Any]]:
    for document in yaml.safe_load_all((ROOT / "ops/kubernetes.yaml").read_text()):
        if document["kind"] == "Deployment":
            pod = document["spec"]["template"]["spec"]
            yield from (*pod["initContainers"], *pod["containers"])


def what_is_run() -> Iterator[str]:
    """The first word of all that the examples have `digest` do."""
    for name in COMPOSED:
        for service in composed(name).values():
            yield str(service.get("command", "run")).split()[0]
            test = service.get("healthcheck", {}).get("test", ["CMD", "digest", "health"])
            yield test[2]
    for container in in_pods():
        yield container["args"][0]
    yield from re.findall(
        r"^Exec\w+=\S+/digest (\S+)", (ROOT / "ops/economic-digest.service").read_text(), re.MULTILINE
    )


def test_the_wheel_carries_templates_migrations_starter_files_and_the_sample_day(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    [wheel] = tmp_path.glob("*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())

    tracked = subprocess.run(
        ["git", "ls-files", "digest", "templates", "migrations"], cwd=ROOT, check=True, text=True, capture_output=True
    ).stdout.splitlines()
    wanted = {name if name.startswith("digest/") else f"digest/_shipped/{name}" for name in tracked}
    assert len(wanted) > 100
    assert not wanted - carried


def test_the_examples_run_commands_that_exist() -> None:
    found = set(what_is_run())
    assert {"run", "web", "schedule", "work", "migrate", "init", "health"} <= found
    assert not found - set(cli.commands)


def test_the_examples_name_settings_that_operators_are_told_of() -> None:
    told = set(re.findall(r"`(DIGEST_\w+)`", (ROOT / "docs/operators.md").read_text()))
    texts = [(ROOT / name).read_text() for name in (*COMPOSED, "ops/kubernetes.yaml", "ops/economic-digest.service")]
    named = {name.removesuffix("_FILE") for text in texts for name in re.findall(r"\bDIGEST_[A-Z_]+", text)}
    assert named
    assert not named - told


@pytest.mark.parametrize("name", COMPOSED)
def test_containers_write_to_their_volume_alone_and_have_no_rights_to_spare(name: str) -> None:
    for service in composed(name).values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert any(volume.endswith(":/data") for volume in service["volumes"])


def test_pods_write_to_their_volume_alone_and_have_no_rights_to_spare() -> None:
    for container in in_pods():
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_every_dependency_of_the_image_has_its_licence_listed() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==[^;\n]*\\?$", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    listed = {
        re.sub(r"[_.]", "-", name.lower())
        for name in re.findall(r"^\| (\S+)", (ROOT / "docs/licences.md").read_text(), re.MULTILINE)
    }
    assert len(locked) > 40
    assert not locked - listed
