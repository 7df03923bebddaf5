"""What can be wrong with an input: a code for each kind, and its sentence in English.

The code is stable: clients go by it, and other languages word it. The sentence follows the path of
the value it is about, so it has no subject: "message.text: is missing". A gap named `given` is
filled from GIVEN: what kind of JSON value came instead.
"""

from collections.abc import Iterable
from itertools import islice

from hookbundle.engine.error_codes import bounded
from hookbundle.engine.errors import TOO_MANY, Fault, quoted
from hookbundle.engine.fault_codes import OF_SUCCESS
from hookbundle.engine.fault_codes import FaultCode as FaultCode  # for all who find faults
from hookbundle.engine.formats import fault_sentences as of_formats
from hookbundle.engine.near_names import near_name
from hookbundle.engine.requests.sentences import OF_REQUESTS

SENTENCES: dict[FaultCode, str] = {
    FaultCode.INVALID: "{detail}",
    FaultCode.MISSING: "is missing",
    FaultCode.TOO_MANY_FAULTS: TOO_MANY,
    FaultCode.NOT_TEXT: "must be text, in quotes; is {given}",
    FaultCode.NOT_A_NUMBER: "must be a number, without quotes; is {given}",
    FaultCode.NOT_A_WHOLE_NUMBER: "must be a whole number, without quotes; is {given}",
    FaultCode.NOT_TRUE_OR_FALSE: "must be true or false, without quotes; is {given}",
    FaultCode.NOT_AN_OBJECT: "must be an object, in braces; is {given}",
    FaultCode.NOT_AN_ARRAY: "must be an array, in brackets; is {given}",
    FaultCode.NOT_TEXT_OR_NUMBER: "must be text or a number; is {given}",
    FaultCode.NUMBER_TOO_LARGE: "has a number that is too large to be read",
    FaultCode.NOT_ONE_OF: "must be one of {allowed}; is {value}",
    FaultCode.EMPTY: "must not be empty",
    FaultCode.TOO_SHORT: "must have {least} characters or more; has {size}",
    FaultCode.TOO_LONG: "must have at most {most} characters; has {size}",
    FaultCode.TOO_LONG_AS_BYTES: "must have at most {most} bytes as UTF-8; has {size}",
    FaultCode.TOO_MANY_ENTRIES: "must have at most {most} entries; has {size}",
    FaultCode.TOO_SMALL: "must be {least} or more; is {value}",
    FaultCode.TOO_LARGE: "must be at most {most}; is {value}",
    FaultCode.NOT_ONE_LINE: (
        "has a line break or another character that can't be seen; write it as one line"
    ),
    FaultCode.NOT_IN_FORM: "does not have the form it must have; is {value}",
    FaultCode.BAD_KEY: (
        "has the key {key}; a key must be 1 to {most} lower-case letters, digits or underscores"
    ),
    FaultCode.NO_TIME: "{value} is neither ISO 8601 nor epoch seconds or milliseconds",
    FaultCode.NO_OFFSET: "{value} has no offset; write +00:00 or Z for UTC",
    FaultCode.TIME_OUT_OF_RANGE: "{value} is not between the years 1970 and 9999 in UTC",
    FaultCode.NO_EPOCH: (
        "{value} is neither epoch seconds (0 to {seconds_max}) nor epoch milliseconds "
        "(above that, to {most})"
    ),
    FaultCode.UNKNOWN_FIELD: "is no field that is known here",
    FaultCode.MISSPELT_FIELD: "is no field that is known here; did you mean {near}?",
    FaultCode.GIVEN_TWICE: "is given twice",
    FaultCode.HALF_A_PAIR: (
        "has half a surrogate pair: half an emoji, cut off by a program that counts UTF-16"
    ),
    FaultCode.NOT_UTF8: "has bytes that are not UTF-8",
    FaultCode.NO_BODY: "is empty; send a message, an array or NDJSON",
    FaultCode.NOT_JSON: "is not JSON (byte {at})",
    FaultCode.JSON_ENDS_EARLY: "is not JSON: it ends too early",
    FaultCode.JSON_TOO_DEEP: "is not JSON that can be read: it is nested too deeply",
    FaultCode.JSON_SINGLE_QUOTES: "is not JSON (byte {at}): use double quotes, not single ones",
    FaultCode.JSON_NAME_WITHOUT_QUOTES: (
        "is not JSON (byte {at}): the name of a field must be in double quotes"
    ),
    FaultCode.JSON_TRAILING_COMMA: "is not JSON (byte {at}): nothing follows the last comma",
    FaultCode.JSON_MISSING_COMMA: (
        "is not JSON (byte {at}): a comma or a closing bracket is missing"
    ),
    FaultCode.JSON_NO_SUCH_WORD: (
        "is not JSON: it has the word {word}; there are true, false, null and numbers"
    ),
    FaultCode.JSON_LEADING_ZERO: (
        "is not JSON (byte {at}): a number must not begin with a zero; a phone must be in quotes"
    ),
    FaultCode.JSON_CONTROL_CHARACTER: (
        "is not JSON (byte {at}): a text has a line break or another control character; "
        "write it as \\n or \\u0001"
    ),
    FaultCode.JSON_BACKSLASH: (
        "is not JSON (byte {at}): a backslash must be written twice, or be a part of \\n, \\u0001 "
        "and such"
    ),
    FaultCode.JSON_COMMENT: "is not JSON (byte {at}): JSON has no comments",
    FaultCode.JSON_GOES_ON: "is not JSON (byte {at}): something follows its end",
    FaultCode.IS_NDJSON: (
        "is several JSON values, one after the other; send them with Content-Type: "
        "application/x-ndjson, or as an array"
    ),
    FaultCode.IS_NOT_NDJSON: (
        "is not NDJSON, but one JSON value; send it with Content-Type: application/json"
    ),
    FaultCode.IS_WRAPPED: "is an object around the messages; send what is in {name} alone",
    FaultCode.IS_FORM: "is a form, not JSON; send JSON with Content-Type: application/json",
    FaultCode.IS_MULTIPART: "is multipart, not JSON; send JSON with Content-Type: application/json",
    FaultCode.IS_MARKUP: "is XML or HTML, not JSON",
    FaultCode.IS_GZIP: "is packed with gzip; say so with Content-Encoding: gzip",
    FaultCode.IS_UTF16: "is UTF-16 or UTF-32; send UTF-8",
    FaultCode.TOO_MANY_MESSAGES: "has more than {most} messages; send at most {most} at once",
    FaultCode.TOO_MANY_PARTS: "has more than {most} brackets and commas",
    FaultCode.SEVERAL_KINDS: "has {got}; an object has one of message, edit, delete and close",
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
    FaultCode.NO_CONDITION: (
        "is not honoured here: nothing that has a version is changed; send it without"
    ),
    FaultCode.NOT_A_TIME: "must be a time like 2027-01-31T12:00:00Z; got {got}",
    FaultCode.PAST_TIME: "is in the past; it is {now} now",
    FaultCode.FAR_TIME: "is more than {days} days from now; it is {now} now",
    FaultCode.NO_ID: "must be 1 to {most} letters, digits, dots, dashes or underscores",
    FaultCode.NO_WEBHOOK_ID: (
        "must be 1 to {most} lower-case letters, digits or dashes, a dash not first; is {got}"
    ),
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
    FaultCode.TWO_WINDOWS: "says something else than {beside}; give one of the two",
    FaultCode.NO_RATE: (
        "{got} is not a rate; write requests and a time, as 100/10s: 1 to {most} requests in 1s to "
        "24h; null is none"
    ),
    FaultCode.NO_BUDGET: (
        "{got} is not a budget; write requests a day, as 1000/day: 1 to {most}; null is none"
    ),
    **OF_SUCCESS,
    FaultCode.LASTS_TOO_LONG: "{got} is longer than {most}",
    FaultCode.NESTED_ANY: "is not taken within a group; write all groups into the one `any`",
    FaultCode.NOT_A_WINDOW: 'must be "none" or an object, as {example}; is {got}',
    FaultCode.ONLY_A_LENGTH: "is only a length; write {example}",
    FaultCode.NO_END_OF_WINDOW: 'must have one of every, quiet, at and rules; or write "none"',
    FaultCode.SEVERAL_ENDS: "has {got}; a window has one of every, quiet and at",
    FaultCode.NO_LENGTH: (
        'must be whole seconds, minutes or hours from 1s to 24h, as "10m"; is {got}'
    ),
    FaultCode.MAX_BELOW_QUIET: "must be {quiet} or longer, as quiet is; is {got}",
    FaultCode.NO_TIME_OF_DAY: (
        "must be a time from 00:00 to {most}, hours and minutes with two digits each, "
        'as "09:00"; is {got}'
    ),
    FaultCode.NO_DAY: (
        "has {got}, which is no day; write mon, tue, wed, thu, fri, sat or sun, ranges as sun-thu, "
        "and commas between"
    ),
    FaultCode.FIRST_WITH_NONE: (
        "is only taken beside every, quiet or at; without a window each message leaves at once"
    ),
    FaultCode.ONLY_BESIDE: "is only taken beside {beside}",
    FaultCode.NOT_BESIDE_RULES: (
        "is not taken beside rules; write it into the window of a rule, or of else"
    ),
    FaultCode.NESTED_RULES: (
        "is not taken within a rule or else; write all rules into the one list"
    ),
    FaultCode.NO_ELSE: (
        'is missing; write the window of what no rule matches, which may be "none"'
    ),
    FaultCode.MERGE_OR_DISCARD: "what is discarded can't be merged; choose one of them",
    FaultCode.UNKNOWN_PLACEHOLDER: "has {got}, which stands for nothing; known are {known}",
    FaultCode.NOT_A_PATH: (
        "{got} is not a path; write names with dots between, as data.messages[].id, and || for else"
    ),
    FaultCode.SEVERAL_LISTS: "goes through another list than {beside}; there can only be one",
    **of_formats.SENTENCES,
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
    FaultCode.NO_LIMIT: "must be 1 to {most}; got {got}",
    FaultCode.NO_CURSOR: "is unknown; take it from the last answer",
    FaultCode.CHAT_WANTED: "is missing; the id of a message is unique within its chat only",
    FaultCode.NO_FILTER_OF_QUEUE: "is no filter of what waits in order; leave out `order=queue`",
    FaultCode.NO_STATUS: (
        "{got} must be a status (503), a class of them (5xx), or `none`: called, and no answer came"
    ),
    FaultCode.NO_PHONE: "{got} has no digits of a phone, or more than {most}",
    FaultCode.NO_TIME_OR_AGE: "{got} must be a time like 2027-01-31T12:00:00Z, or an age like -2h",
    FaultCode.ENDS_BEFORE: "is before the beginning, {since}",
    FaultCode.NO_SINCE: "{got} is not {forms}",
    FaultCode.NO_TYPE: "there is no event of type {got}; known are {known}",
    FaultCode.MISSPELT_TYPE: "there is no event of type {got}; did you mean {near}?",
    FaultCode.NO_EVENTS_OF: "there is no workspace {got}, and the feed has no event of it",
    FaultCode.NO_EVENTS_OF_WEBHOOK: "there is no webhook {got}, and the feed has no event of it",
    FaultCode.NO_REASON: "say why, in at most {most} characters",
    FaultCode.NO_KEY: "must be one text of 1 to {most} ASCII characters",
    FaultCode.KEY_REUSED: "was used with another body before; take a new key for a new request",
    FaultCode.GIVEN_TOO_OFTEN: "is given more than {most} times",
    FaultCode.NOT_ABSOLUTE: "must be an absolute path",
    FaultCode.NO_FOLDER: "{folder} is not a directory",
    FaultCode.HELLO_TOO_LATE: "no hello line came within {seconds} s",
    FaultCode.HELLO_CUT_SHORT: "the hello line has no newline at its end",
    FaultCode.HELLO_TOO_LONG: "the hello line is longer than {most} bytes",
    **OF_REQUESTS,
}

ALLOWED_LISTED_MAX = 20

# What a value is, of which something else was expected: the gap `given` of a sentence.
GIVEN: dict[str, str] = {
    "null": "null",
    "boolean": "true or false",
    "number": "a number",
    "text": "text",
    "array": "an array",
    "object": "an object",
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
    words = dict(filled)
    if "given" in filled:
        words["given"] = GIVEN.get(filled["given"], filled["given"])
    return Fault(path, SENTENCES[code].format(**words), code, tuple(filled.items()))


def given(value: object) -> str:
    """Which of GIVEN the decoded JSON value is."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "array"
        case _:
            return "object"


def in_brief(value: object) -> str:
    """A text or a number as a sentence shows it, bounded; of anything else the kind."""
    match value:
        case str():
            return quoted(value)
        case bool() | int() | float():
            return bounded(f"{value}".lower())
        case _:
            return GIVEN[given(value)]


def not_one_of(path: str, allowed: Iterable[object], value: object) -> Fault:
    """The fault of a value that is none of the allowed ones, which are texts or numbers."""
    listed = ", ".join(in_brief(one) for one in islice(allowed, ALLOWED_LISTED_MAX))
    return fault(path, FaultCode.NOT_ONE_OF, allowed=listed, value=in_brief(value))


def no_duration(path: str, given: str) -> Fault:
    return fault(path, FaultCode.NO_DURATION, got=quoted(given))
