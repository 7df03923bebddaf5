"""A phone is the same however its digits are written."""

import re

PHONE_DIGITS_MAX = 32
NO_DIGITS = re.compile("[^0-9]+")


def digits_of(phone: str) -> str:
    """The digits of the phone; empty if there are too many for one."""
    digits = NO_DIGITS.sub("", phone)
    return digits if len(digits) <= PHONE_DIGITS_MAX else ""
