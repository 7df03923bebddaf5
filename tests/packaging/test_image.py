"""What the Dockerfile and the Compose file say, as far as that can be read from them."""

import re
from pathlib import Path
from typing import Any

import yaml

from hookbundle.commands.configuration.settings import BY_VARIABLE, FROM_FILE
from hookbundle.tests.packaging.building import ROOT
from hookbundle.tests.packaging.dockerfile import instructions, stages

PACKAGING = ROOT / "packaging"
HARD_END_S = 35  # stop.within, and what a stop that hangs has after it
PINNED = re.compile(r"python:3\.11\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?")


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((PACKAGING / "compose.yml").read_text("utf-8"))
    return document


def test_the_base_has_an_exact_version_and_may_be_given_by_its_digest() -> None:
    """Which digest belongs to the name says the registry alone, so the name is what is written."""
    (base,) = [rest for name, rest in instructions() if name == "ARG"]

    assert PINNED.fullmatch(base.removeprefix("BASE="))
    assert [stage[0][1].partition(" ")[0] for stage in stages()] == ["${BASE}", "${BASE}"]


def test_only_what_the_lock_files_have_is_installed_and_nothing_of_it_is_kept_in_a_cache() -> None:
    commands = [
        command
        for name, rest in instructions()
        if name == "RUN"
        for command in rest.split(" && ")
        if "pip " in command
    ]

    assert len(commands) == 4
    for command in commands:
        assert "--require-hashes -r requirements/" in command or "--no-deps" in command, command
        if "pip install" in command:
            assert "--no-cache-dir" in command, command
        else:
            assert "--no-build-isolation" in command, command


def test_the_image_has_no_compiler_no_source_and_no_shell_for_its_user() -> None:
    _, last = stages()
    copied = [rest for name, rest in last if name == "COPY"]
    (made,) = [rest for name, rest in last if name == "RUN"]

    assert copied == ["--from=build /opt/hookbundle /opt/hookbundle"]
    assert "/usr/sbin/nologin" in made
    assert [name for name, _ in last].index("USER") > [name for name, _ in last].index("RUN")
    assert re.search(r"--uid (\d+) --gid (\d+)", made)
    assert [rest for name, rest in last if name == "USER"] == ["8470:8470"]


def test_the_image_says_how_it_is() -> None:
    _, last = stages()
    (health,) = [rest for name, rest in last if name == "HEALTHCHECK"]

    assert health.endswith('CMD ["hookbundle", "status", "--json"]')
    assert "--start-period=" in health


def test_compose_sets_what_there_is_and_names_each_file_once() -> None:
    document = compose()
    (service,) = document["services"].values()
    secrets = {name + FROM_FILE for name, setting in BY_VARIABLE.items() if setting.secret}

    variables = service["environment"]

    assert set(variables) <= {*BY_VARIABLE, *secrets}
    for name in secrets & set(variables):
        assert Path(variables[name]).name in service["secrets"]
    assert not {name for name, setting in BY_VARIABLE.items() if setting.secret} & set(variables)
    assert set(service["secrets"]) == set(document["secrets"])
    assert [volume.partition(":")[0] for volume in service["volumes"]] == list(document["volumes"])
    assert (PACKAGING / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).exists()


def test_compose_runs_what_the_image_is_made_for() -> None:
    (service,) = compose()["services"].values()
    _, last = stages()
    (volume,) = [rest for name, rest in last if name == "VOLUME"]
    (health,) = [rest for name, rest in last if name == "HEALTHCHECK"]
    (user,) = [rest for name, rest in last if name == "USER"]
    options = dict(re.findall(r"--([\w-]+)=(\S+)", health))

    check = service["healthcheck"]

    assert service["volumes"] == [f"data:{volume}"]
    assert check["test"] == ["CMD", "hookbundle", "status", "--json"]
    assert {name.replace("_", "-"): str(check[name]) for name in check if name != "test"} == options
    assert f"uid={user.partition(':')[0]},gid={user.partition(':')[2]}" in service["tmpfs"][0]
    assert int(service["stop_grace_period"].removesuffix("s")) > HARD_END_S
    assert service["ports"] == ["127.0.0.1:8470:8470"]
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "deploy" not in service  # two nodes can't share the data


def test_no_secret_gets_into_the_image_or_the_repository() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    packed = (ROOT / "MANIFEST.in").read_text().splitlines()

    assert "packaging/secrets/" in ignored
    assert packed.index("prune packaging/secrets") > packed.index("recursive-include packaging *")
    assert "!packaging" not in allowed
