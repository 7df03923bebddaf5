"""Each preset is sound, and says all that the pages and the commands show of it."""

from pathlib import Path

import msgspec
import pytest

from hookbundle.engine.delivery import rates
from hookbundle.engine.formats import presets as module
from hookbundle.engine.formats import shapes
from hookbundle.engine.formats.documents import parse_format
from hookbundle.engine.formats.format import Format
from hookbundle.engine.formats.jobs import BundleFacts, Job, Rendered
from hookbundle.engine.formats.presets import NO_RECORD, SEND, Preset, presets
from hookbundle.engine.formats.rendering import rendered
from hookbundle.tests.engine.formats.jobs import CHAT, GROUP, HELLO, bundle, single

ALL = tuple(presets().values())
FOLDER = Path(module.__file__).parent / "presets"


def with_options(preset: Preset) -> Format:
    """The preset, with a value for each variable that it needs; it sends also without a record."""
    needed = {each.name: "x1" for each in preset.variables if each.required}
    needed |= {NO_RECORD: SEND} if preset.record else {}
    form = parse_format(preset.name, needed)
    assert isinstance(form, Format), form
    return form


def body_of(form: Format, sealed: bytes, facts: BundleFacts) -> bytes:
    made = rendered(Job(format=form.format, options=form.options, body=sealed, bundle=facts))
    assert isinstance(made, Rendered), made
    return made.body


def test_there_is_a_preset_for_each_file() -> None:
    assert set(presets()) == {file.stem for file in FOLDER.iterdir()}


@pytest.mark.parametrize("preset", ALL, ids=lambda preset: preset.name)
def test_a_preset_is_named_as_its_file_and_says_what_it_is_in_both_languages(
    preset: Preset,
) -> None:
    assert presets()[preset.name] is preset
    assert preset.success in ("200", "2xx") or preset.success.replace(",", "").isdigit()
    assert preset.rate == "" or rates.parse(preset.rate).requests
    words = [preset.title, preset.about, *preset.notes, *(each.label for each in preset.variables)]
    assert all(each.en and each.ar for each in words)


@pytest.mark.parametrize("preset", ALL, ids=lambda preset: preset.name)
def test_what_identifies_a_record_is_a_name_of_the_context(preset: Preset) -> None:
    for path in preset.record:
        shape: shapes.Shape = shapes.RecordShape(shapes.CONTEXT)
        for segment in path.split("."):
            further = shapes.step(shape, segment)
            assert not isinstance(further, shapes.Unknown), path
            shape = further


@pytest.mark.parametrize("preset", ALL, ids=lambda preset: preset.name)
def test_a_preset_is_rendered_of_every_kind_of_chat(preset: Preset) -> None:
    form = with_options(preset)
    one = BundleFacts("dlv_1", is_bundle=False)

    for sealed, facts in (
        (bundle(), BundleFacts("dlv_1")),
        (bundle(chat=GROUP), BundleFacts("dlv_1")),
        (bundle(chat={**CHAT, "phone": "", "full_name": "", "chat_url": ""}), BundleFacts("dlv_1")),
        (single(HELLO[0]), one),
    ):
        msgspec.json.decode(body_of(form, sealed, facts))
