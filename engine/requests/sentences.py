"""What can be wrong with a webhook's request, in English; engine/faults.py has the rest."""

from hookbundle.engine.fault_codes import FaultCode

OF_REQUESTS: dict[FaultCode, str] = {
    FaultCode.NO_HEADER_NAME: "{got} is not a header's name: 1 to {most} letters, digits or dashes",
    FaultCode.HEADER_RESERVED: "{got} is written by hookbundle or by the connection; leave it out",
    FaultCode.HEADER_OF_AUTH: "{got} holds credentials; give it as `auth`",
    FaultCode.NO_HEADER_VALUE: (
        "must be 1 to {most} visible ASCII characters; spaces may stand between them"
    ),
    FaultCode.SAME_HEADER: "is the same header as {beside}; give it once",
    FaultCode.NO_BEARER: (
        "must be 1 to {most} visible ASCII characters without spaces; leave out the word Bearer"
    ),
    FaultCode.HAS_COLON: "must not hold a colon: it would end the user name there",
    FaultCode.NOTHING_SET: "is not set, so nothing can stay; give the value",
}
