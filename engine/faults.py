"""What can be wrong with an input: a code for each kind, and its sentence in English.

The code is stable: clients go by it, and other languages word it. The sentence follows the path of
the value it is about, so it has no subject: "message.text: is missing".
"""

from enum import StrEnum

from hookbundle.engine.errors import Fault


class FaultCode(StrEnum):
    INVALID = "invalid"
    MISSING = "missing"
    TOO_MANY_FAULTS = "too_many_faults"


SENTENCES: dict[FaultCode, str] = {
    FaultCode.INVALID: "{detail}",
    FaultCode.MISSING: "is missing",
    FaultCode.TOO_MANY_FAULTS: "has more faults than are listed",
}


def fault(path: str, code: FaultCode, **values: str | int) -> Fault:
    """The fault at `path`; `values` fill the gaps of the code's sentence."""
    filled = {name: str(value) for name, value in values.items()}
    return Fault(path, SENTENCES[code].format(**filled), code, tuple(filled.items()))
