"""A phone is its digits, however somebody writes it."""

import pytest

from hookbundle.engine.messages.phones import digits_of


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+1 (555) 010-1234", "15550101234"),
        ("", ""),
        ("none", ""),
        ("\u0661\u0662\u00b2", ""),  # digits, but not of any phone as it is dialled
        ("1\n2", "12"),
        ("1" * 32, "1" * 32),
        ("1" * 33, ""),
    ],
)
def test_the_digits_of_a_phone(written: str, digits: str) -> None:
    assert digits_of(written) == digits
