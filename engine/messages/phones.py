"""A phone is the same however its digits are written."""

PHONE_DIGITS_MAX = 32


def digits_of(phone: str) -> str:
    """The digits of the phone; empty if there are too many for one."""
    digits = "".join([each for each in phone if each.isascii() and each.isdigit()])
    return digits if len(digits) <= PHONE_DIGITS_MAX else ""
