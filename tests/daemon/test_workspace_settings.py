"""`workspace set` and `show`: a workspace's language and time zone."""

from collections.abc import Iterator

import pytest

from hookbundle.tests.program import Program, serving


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("daemon")) as program:
        yield program


async def test_language_and_time_zone_are_set_and_shown(program: Program) -> None:
    arguments = ("--language", "ar", "--time-zone", "Africa/Cairo")

    made = await program("workspace", "set", "nile", *arguments)
    other = await program("workspace", "set", "nile", "--time-zone", "Asia/Riyadh", "--json")
    shown = await program("workspace", "show", "nile")

    assert made.rows[3:5] == [["language", "ar"], ["time_zone", "Africa/Cairo"]]
    assert (other.document["language"], other.document["time_zone"]) == ("ar", "Asia/Riyadh")
    assert shown.rows[3:5] == [["language", "ar"], ["time_zone", "Asia/Riyadh"]]


async def test_without_them_a_workspace_is_in_english_and_in_utc(program: Program) -> None:
    made = await program("workspace", "set", "plain", "--json")

    assert (made.document["language"], made.document["time_zone"]) == ("en", "UTC")


async def test_a_wrong_one_is_refused_with_what_was_probably_meant(program: Program) -> None:
    zone = await program("workspace", "set", "wrong", "--time-zone", "Cairo")
    language = await program("workspace", "set", "wrong", "--language", "fr")
    shown = await program("workspace", "show", "wrong")

    assert zone.code == language.code == 2
    assert "time_zone: 'Cairo' is not the name of an IANA time zone" in zone.err
    assert "did you mean 'Africa/Cairo'?" in zone.err
    assert "'en', 'ar'" in language.err
    assert shown.code == 5
