"""Whom an address means, whatever kind it comes from."""

import pytest

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.sources import addresses, times
from hookbundle.engine.sources.addresses import Address, NoChat
from hookbundle.engine.sources.memory import LidPhone, Notes
from hookbundle.engine.sources.outcomes import Reason
from hookbundle.tests.engine.sources.remembering import Remembering


@pytest.mark.parametrize(
    "written",
    [
        "15550101234@c.us",
        "15550101234@s.whatsapp.net",
        "15550101234:12@s.whatsapp.net",
        "15550101234.0:12@s.whatsapp.net",
        "+15550101234",
        "whatsapp:+15550101234",
        "15550101234",
    ],
)
def test_a_phone_is_its_digits_however_it_is_written(written: str) -> None:
    assert addresses.of(written, Notes(Remembering())) == Address("15550101234", "+15550101234")


def test_a_hidden_id_is_no_phone_until_one_is_known() -> None:
    memory = Remembering()

    assert addresses.of("38200000000001:7@lid", Notes(memory)) == Address(
        "38200000000001@lid", lid="38200000000001@lid"
    )

    memory.learn([LidPhone("38200000000001@lid", "15550101234", "15550101234")])

    assert addresses.of("38200000000001@lid", Notes(memory)) == Address(
        "15550101234", "+15550101234", lid="38200000000001@lid"
    )


@pytest.mark.parametrize("group", ["120363020000000001@g.us", "15550101234-1500000000@g.us"])
def test_a_group_stays_as_it_is(group: str) -> None:
    assert addresses.of(group, Notes(Remembering()), also="15550101234@c.us") == Address(
        group, is_group=True
    )


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("status@broadcast", Reason.STATUS_BROADCAST),
        ("1500000000@broadcast", Reason.BROADCAST),
        ("120363030000000009@newsletter", Reason.NEWSLETTER),
    ],
)
def test_a_list_is_no_chat(written: str, reason: Reason) -> None:
    with pytest.raises(NoChat) as caught:
        addresses.of(written, Notes(Remembering()))

    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "written", ["", "@c.us", "abc@c.us", "1" * 40, "0@c.us", "15550101234@evil.example", "1@g.us\n"]
)
def test_what_is_no_address_is_a_fault(written: str) -> None:
    with pytest.raises(InvalidInput):
        addresses.of(written, Notes(Remembering()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5511987654321", "551187654321"),
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
    ],
)
def test_both_spellings_of_a_number_can_be_one(one: str, other: str) -> None:
    assert addresses.folded(one) == addresses.folded(other) == other


@pytest.mark.parametrize("digits", ["15550101234", "551133334444", "4915112345678", "22"])
def test_other_numbers_are_not_folded(digits: str) -> None:
    assert addresses.folded(digits) == digits


@pytest.mark.parametrize(
    ("value", "at_ms"),
    [
        (1_764_230_401, 1_764_230_401_000),
        (1_764_230_630.853, 1_764_230_630_853),
        ("1764252001", 1_764_252_001_000),
        (1_764_241_410_123, 1_764_241_410_123),
        ("1764241410123", 1_764_241_410_123),
        ({"low": -969148837, "high": 410, "unsigned": False}, 1_764_262_409_819),
        ("2025-11-27 15:01:10 UTC", 1_764_255_670_000),
        ("2025-11-27T15:00:01.250Z", 1_764_255_601_250),
        ("2025-11-27 16:20:01+00", 1_764_260_401_000),
        ("2025-11-27 17:00:01 +0200", 1_764_255_601_000),
        ("2025-11-27 21:50:11.273371+05:30", 1_764_260_411_273),
        ("2025-11-27T09:49:31.2419621Z", 1_764_236_971_241),
        ("2025-11-27T15:00:01", None),
        ("yesterday", None),
        (0, None),
        (-5, None),
        (1e300, None),
        (True, None),
        (None, None),
        ([], None),
        ({}, None),
        ({"low": 1, "high": 10**30}, None),
        ("9" * 5_000, None),
    ],
)
def test_a_time_is_read_as_sources_write_it(value: object, at_ms: int | None) -> None:
    found = times.read_ms(value)

    assert found == at_ms or (found and at_ms and abs(found - at_ms) <= 1)


@pytest.mark.parametrize(
    ("told_ms", "sent_ms"), [(None, 5_000), (4_000, 5_000), (5_250, 5_250), (9_000, 5_999)]
)
def test_messages_of_one_second_keep_the_order_of_their_events(
    told_ms: int | None, sent_ms: int
) -> None:
    assert times.within_second(5_000, told_ms) == sent_ms
