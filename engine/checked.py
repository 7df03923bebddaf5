"""Parts of an input that somebody wrote, each with what is wrong with it as a fault at its path."""

from collections.abc import Iterator
from typing import Any

from hookbundle.engine.errors import Fault
from hookbundle.engine.faults import FaultCode, fault


def items(value: list[Any], path: str, most: int, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    """The items of a list with their paths; that it is empty or too long is added to `faults`.

    Only the first `most` items come, so that a long list costs no more than one that is taken.
    """
    if not value:
        faults.append(fault(path, FaultCode.EMPTY))
    elif len(value) > most:
        faults.append(fault(path, FaultCode.TOO_MANY_ENTRIES, most=most, size=len(value)))
    for index, item in enumerate(value[:most]):
        yield f"{path}[{index}]", item


def out_of_range(path: str, number: int, most: int) -> tuple[Fault, ...]:
    """The fault of a number that is not from 1 to `most`."""
    if number < 1:
        return (fault(path, FaultCode.TOO_SMALL, least=1, value=str(number)),)
    if number > most:
        return (fault(path, FaultCode.TOO_LARGE, most=most, value=str(number)),)
    return ()
