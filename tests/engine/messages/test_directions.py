"""Directional controls are closed where their text ends, and nothing else is changed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.messages import directions
from hookbundle.engine.messages.directions import DEPTH_MAX, PDF, PDI, closed

LRE, RLE, LRO, RLO = "\u202a", "\u202b", "\u202d", "\u202e"
LRI, RLI, FSI = "\u2066", "\u2067", "\u2068"
CONTROLS = (LRE, RLE, LRO, RLO, LRI, RLI, FSI, PDF, PDI)


def left_open(text: str) -> tuple[int, int]:
    """How many levels are open at the end, and how many closings closed nothing (UAX #9, X1-X8).

    Written from the rules by themselves: with the counters of what is too deep, and levels.
    """
    stack: list[tuple[int, bool]] = []
    too_deep_isolates = too_deep_embeddings = isolates = unmatched = 0
    for char in text:
        level = stack[-1][0] if stack else 0
        if char in (LRE, RLE, LRO, RLO, LRI, RLI, FSI):
            is_isolate = char in (LRI, RLI, FSI)
            odd = char in (RLE, RLO, RLI)
            new = level + 1 + ((level + 1) % 2 != odd)
            if new <= DEPTH_MAX and not too_deep_isolates and not too_deep_embeddings:
                stack.append((new, is_isolate))
                isolates += is_isolate
            elif is_isolate:
                too_deep_isolates += 1
            elif not too_deep_isolates:
                too_deep_embeddings += 1
        elif char == PDI:
            if too_deep_isolates:
                too_deep_isolates -= 1
            elif isolates:
                too_deep_embeddings = 0
                while not stack.pop()[1]:
                    pass
                isolates -= 1
            else:
                unmatched += 1
        elif char == PDF:
            if too_deep_isolates:
                pass
            elif too_deep_embeddings:
                too_deep_embeddings -= 1
            elif stack and not stack[-1][1]:
                stack.pop()
            else:
                unmatched += 1
    return len(stack) + too_deep_isolates + too_deep_embeddings, unmatched


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Noa Levi", "Noa Levi"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        (f"a{RLO}b", f"a{RLO}b{PDF}"),
        (f"a{LRI}b", f"a{LRI}b{PDI}"),
        (f"{FSI}{RLE}b", f"{FSI}{RLE}b{PDF}{PDI}"),
        (f"{RLE}{FSI}b", f"{RLE}{FSI}b{PDI}{PDF}"),
        (f"{RLE}a{PDF}b", f"{RLE}a{PDF}b"),
        (f"{LRI}{RLO}a{PDI}b", f"{LRI}{RLO}a{PDI}b"),
        (f"a{PDF}b{PDI}c", "abc"),
        (f"{LRI}a{PDF}b", f"{LRI}ab{PDI}"),
        (f"{RLO}a{PDI}b", f"{RLO}ab{PDF}"),
        (f"{RLO}a\nb", f"{RLO}a\nb{PDF}"),
        (RLM := "\u200f!", RLM),
    ],
)
def test_what_is_open_is_closed_and_what_closes_nothing_is_taken_out(
    text: str, expected: str
) -> None:
    assert closed(text) == expected


@settings(deadline=None)
@given(st.text(st.sampled_from([*CONTROLS, "x", "\u05d0"]), max_size=400))
def test_nothing_is_open_at_the_end_of_any_text(text: str) -> None:
    assert left_open(closed(text)) == (0, 0)


@settings(deadline=None)
@given(st.text(st.sampled_from([*CONTROLS, "x"]), max_size=400))
def test_what_is_closed_is_not_changed_again_and_loses_no_letter(text: str) -> None:
    once = closed(text)

    assert closed(once) == once
    assert once.count("x") == text.count("x")


@pytest.mark.parametrize("opening", [RLO, FSI, RLE + FSI])
def test_what_is_too_deep_to_have_an_effect_is_not_closed_but_taken_out(opening: str) -> None:
    text = closed(opening * 1_000 + "x")

    assert len(text) <= 2 * DEPTH_MAX + 1
    assert left_open(text) == (0, 0)


@settings(deadline=None)
@given(st.text(st.sampled_from([*CONTROLS, "x", "\u2019"]), max_size=400))
def test_no_more_is_added_than_is_counted(text: str) -> None:
    added = len(closed(text).encode()) - len(text.encode())

    assert added <= directions.bytes_added(text.encode())
