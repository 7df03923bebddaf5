"""Every private name of Pykka in use exists, has its known shape and is used in one file only."""

import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pykka
import pytest
from pykka import _envelope, messages

from hookbundle.engine.runtime import pykka_seam
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.pykka_seam import STOP, Envelope, StopFlag, is_stop

ROOT = Path(pykka_seam.__file__).resolve().parents[2]

PRIVATE_METHODS = {
    "_create_actor_inbox": (),
    "_create_future": (),
    "_start_actor_loop": ("self",),
    "_stop": ("self",),
    "_handle_failure": ("self", "exception_type", "exception_value", "traceback"),
    "_handle_receive": ("self", "message"),
}
NEVER_ELSEWHERE = re.compile(
    r"pykka\._\w+|\b_(create_actor_inbox|create_future|start_actor_loop|handle_failure|handle_receive"
    r"|actor_loop\w*|ActorStop|actor_ref|actor_refs|actor_weakref)\b"
)
NEVER_IN_AN_ACTOR = re.compile(r"\b_stop\b")


def source_files() -> list[Path]:
    rooms = [ROOT / name for name in ("engine", "storage", "actors", "server", "commands")]
    files = [file for room in rooms for file in sorted(room.rglob("*.py"))]
    cli = ROOT / "cli.py"
    return [file for file in [*files, cli] if file.exists() and file.name != "pykka_seam.py"]


def test_the_pinned_version_is_installed() -> None:
    assert version("pykka").startswith("4.5.")


@pytest.mark.parametrize("name", PRIVATE_METHODS)
def test_a_private_method_has_the_shape_it_had(name: str) -> None:
    method = getattr(pykka.Actor, name)

    assert tuple(inspect.signature(method).parameters) == PRIVATE_METHODS[name]


def test_the_abstract_methods_are_the_ones_the_seam_fills_in() -> None:
    expected = {"_create_actor_inbox", "_create_future", "_start_actor_loop"}

    assert pykka.Actor.__abstractmethods__ == expected
    assert not getattr(LoopActor, "__abstractmethods__", None)


def test_an_envelope_is_a_message_and_who_waits_for_the_answer() -> None:
    envelope = Envelope("hello")

    assert tuple(inspect.signature(_envelope.Envelope).parameters) == ("message", "reply_to")
    assert (envelope.message, envelope.reply_to) == ("hello", None)


def test_the_stop_message_is_known_by_its_type() -> None:
    assert isinstance(STOP, messages._ActorStop)
    assert is_stop(Envelope(STOP))
    assert not is_stop(Envelope("stop"))


def test_an_own_message_of_pykka_is_never_given_to_on_receive() -> None:
    kinds = {kind for kind in vars(messages).values() if hasattr(kind, "_fields")}

    assert kinds == pykka_seam._OWN_MESSAGES


def test_a_reference_reads_from_an_actor_what_the_seam_sets() -> None:
    attributes = set(inspect.get_annotations(pykka.ActorRef))

    assert attributes == {"actor_class", "actor_urn", "actor_inbox", "actor_stopped"}


def test_a_stop_flag_is_set_once_and_for_all() -> None:
    flag = StopFlag()
    before = flag.is_set()

    flag.set()

    assert (before, flag.is_set()) == (False, True)


@pytest.mark.parametrize("file", source_files(), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_other_file_knows_a_private_name(file: Path) -> None:
    text = file.read_text()
    is_about_actors = "pykka" in text or "LoopActor" in text

    assert NEVER_ELSEWHERE.findall(text) == []
    assert not is_about_actors or NEVER_IN_AN_ACTOR.findall(text) == []
