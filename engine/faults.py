"""What can be wrong with an input: a code for each kind, and its sentence in English.

The code is stable: clients go by it, and other languages word it. The sentence follows the path of
the value it is about, so it has no subject: "message.text: is missing".
"""

from enum import StrEnum

from hookbundle.engine.errors import Fault, quoted


class FaultCode(StrEnum):
    INVALID = "invalid"
    MISSING = "missing"
    TOO_MANY_FAULTS = "too_many_faults"

    # a setting
    NO_BODY = "no_body"
    NO_ID = "no_id"
    TAKEN = "taken"
    NO_ADDRESS = "no_address"
    NO_ZONE = "no_zone"
    NO_ZONE_BUT_NEAR = "no_zone_but_near"
    NO_DURATION = "no_duration"
    NO_AGGREGATION = "no_aggregation"
    LASTS_TOO_LONG = "lasts_too_long"

    # a webhook's URL
    URL_TOO_LONG = "url_too_long"
    URL_UNPRINTABLE = "url_unprintable"
    URL_UNREADABLE = "url_unreadable"
    URL_SCHEME = "url_scheme"
    URL_FRAGMENT = "url_fragment"
    URL_USER = "url_user"
    URL_NO_HOST = "url_no_host"
    URL_HOST = "url_host"
    URL_MALFORMED_HOST = "url_malformed_host"
    URL_IPV4 = "url_ipv4"
    URL_IPV6 = "url_ipv6"
    URL_PORT = "url_port"
    URL_PORT_REFUSED = "url_port_refused"
    URL_ADDRESS_REFUSED = "url_address_refused"

    # a parameter or a header
    NO_ETAG = "no_etag"
    NO_LIMIT = "no_limit"
    NO_CURSOR = "no_cursor"
    NO_STATE = "no_state"
    NO_FORMAT = "no_format"
    NO_SINCE = "no_since"
    NO_REASON = "no_reason"
    NO_KEY = "no_key"
    KEY_REUSED = "key_reused"
    GIVEN_TOO_OFTEN = "given_too_often"
    NOT_ABSOLUTE = "not_absolute"
    NO_FOLDER = "no_folder"
    HELLO_TOO_LATE = "hello_too_late"
    HELLO_CUT_SHORT = "hello_cut_short"
    HELLO_TOO_LONG = "hello_too_long"


SENTENCES: dict[FaultCode, str] = {
    FaultCode.INVALID: "{detail}",
    FaultCode.MISSING: "is missing",
    FaultCode.TOO_MANY_FAULTS: "has more faults than are listed",
    FaultCode.NO_BODY: "is empty; send a message, an array or NDJSON",
    FaultCode.NO_ID: "must be 1 to {most} letters, digits, dots, dashes or underscores",
    FaultCode.TAKEN: "is taken",
    FaultCode.NO_ADDRESS: "must be one e-mail address",
    FaultCode.NO_ZONE: (
        "{got} is not the name of an IANA time zone; write a place, as 'Asia/Jerusalem', or 'UTC'"
    ),
    FaultCode.NO_ZONE_BUT_NEAR: (
        "{got} is not the name of an IANA time zone; did you mean {near}?"
    ),
    FaultCode.NO_DURATION: ("{got} is not a duration; write a whole number and ms, s, m, h or d"),
    FaultCode.NO_AGGREGATION: "{got} is not `none` or a whole duration from 1s to 24h",
    FaultCode.LASTS_TOO_LONG: "{got} is longer than {most}",
    FaultCode.URL_TOO_LONG: "is longer than {most} characters",
    FaultCode.URL_UNPRINTABLE: (
        "holds a space, a backslash or an invisible character; percent-encode it"
    ),
    FaultCode.URL_UNREADABLE: "is not a URL like https://example.com/hook",
    FaultCode.URL_SCHEME: "has the scheme {got}; http and https can be called",
    FaultCode.URL_FRAGMENT: "has a fragment (#...), which is never sent to a receiver",
    FaultCode.URL_USER: ("has a user name or password; use a secret path or the signature instead"),
    FaultCode.URL_NO_HOST: "has no host",
    FaultCode.URL_HOST: "has a host that is not a domain name",
    FaultCode.URL_MALFORMED_HOST: "has a malformed host",
    FaultCode.URL_IPV4: "has an IPv4 address not written as four plain decimal numbers",
    FaultCode.URL_IPV6: "has a malformed IPv6 address",
    FaultCode.URL_PORT: "has a port that is not a number in 1..65535",
    FaultCode.URL_PORT_REFUSED: "port {port} belongs to a service that is not HTTP",
    FaultCode.URL_ADDRESS_REFUSED: "has an address that may not be called: {refusal}",
    FaultCode.NO_ETAG: "{got} is not an ETag of this API",
    FaultCode.NO_LIMIT: "must be 1 to {most}; got {got}",
    FaultCode.NO_CURSOR: "is unknown; take it from the last answer",
    FaultCode.NO_STATE: "{got} must be `pending` or `parked`",
    FaultCode.NO_FORMAT: "{got} is neither json nor ndjson",
    FaultCode.NO_SINCE: "{got} is not {forms}",
    FaultCode.NO_REASON: "say why, in at most {most} characters",
    FaultCode.NO_KEY: "must be one text of 1 to {most} ASCII characters",
    FaultCode.KEY_REUSED: "was used with another body before; take a new key for a new request",
    FaultCode.GIVEN_TOO_OFTEN: "is given more than {most} times",
    FaultCode.NOT_ABSOLUTE: "must be an absolute path",
    FaultCode.NO_FOLDER: "{folder} is not a directory",
    FaultCode.HELLO_TOO_LATE: "no hello line came within {seconds} s",
    FaultCode.HELLO_CUT_SHORT: "the hello line has no newline at its end",
    FaultCode.HELLO_TOO_LONG: "the hello line is longer than {most} bytes",
}


def fault(path: str, code: FaultCode, **values: str | int) -> Fault:
    """The fault at `path`; `values` fill the gaps of the code's sentence."""
    filled = {name: str(value) for name, value in values.items()}
    return Fault(path, SENTENCES[code].format(**filled), code, tuple(filled.items()))


def no_duration(path: str, given: str) -> Fault:
    return fault(path, FaultCode.NO_DURATION, got=quoted(given))
