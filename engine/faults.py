"""What can be wrong with an input: a code for each kind, and its sentence in English.

The code is stable: clients go by it, and other languages word it. The sentence follows the path of
the value it is about, so it has no subject: "message.text: is missing".
"""

from collections.abc import Iterable
from enum import StrEnum

from hookbundle.engine.errors import Fault
from hookbundle.engine.near_names import near_name


class FaultCode(StrEnum):
    INVALID = "invalid"
    MISSING = "missing"
    TOO_MANY_FAULTS = "too_many_faults"
    UNKNOWN_FIELD = "unknown_field"
    MISSPELT_FIELD = "misspelt_field"
    UNKNOWN_PARAMETER = "unknown_parameter"
    MISSPELT_PARAMETER = "misspelt_parameter"
    NO_PARAMETERS = "no_parameters"
    REPEATED_PARAMETER = "repeated_parameter"
    TOO_MANY_TAGS = "too_many_tags"
    NOT_ENTITY_TAGS = "not_entity_tags"
    NOT_A_TIME = "not_a_time"
    PAST_TIME = "past_time"


SENTENCES: dict[FaultCode, str] = {
    FaultCode.INVALID: "{detail}",
    FaultCode.MISSING: "is missing",
    FaultCode.TOO_MANY_FAULTS: "has more faults than are listed",
    FaultCode.UNKNOWN_FIELD: "is not a setting; known are {known}",
    FaultCode.MISSPELT_FIELD: "is not a setting; did you mean {near}? known are {known}",
    FaultCode.UNKNOWN_PARAMETER: "is not a parameter of this path; known are {known}",
    FaultCode.MISSPELT_PARAMETER: (
        "is not a parameter of this path; did you mean {near}? known are {known}"
    ),
    FaultCode.NO_PARAMETERS: "is not a parameter: this path takes none",
    FaultCode.REPEATED_PARAMETER: "is given {count} times; give it once",
    FaultCode.TOO_MANY_TAGS: "is too long; name at most {most} entity tags",
    FaultCode.NOT_ENTITY_TAGS: (
        "must be * or entity tags in double quotes, with commas between; got {got}"
    ),
    FaultCode.NOT_A_TIME: "must be a time like 2027-01-31T12:00:00Z; got {got}",
    FaultCode.PAST_TIME: "is in the past; it is {now} now",
}


def unknown_name(
    path: str, name: str, known: Iterable[str], unknown: FaultCode, misspelt: FaultCode
) -> Fault:
    """The fault of a name that is none of the known ones; it says which one is near, if any is."""
    listed = list(known)
    near = near_name(name, listed)
    if near is None:
        return fault(path, unknown, known=", ".join(listed))
    return fault(path, misspelt, near=near, known=", ".join(listed))


def fault(path: str, code: FaultCode, **values: str | int) -> Fault:
    """The fault at `path`; `values` fill the gaps of the code's sentence."""
    filled = {name: str(value) for name, value in values.items()}
    return Fault(path, SENTENCES[code].format(**filled), code, tuple(filled.items()))
