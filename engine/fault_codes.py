"""What can be wrong with an input: a code for each kind. faults.py has the sentence of each.

The codes are stable: clients go by them, and other languages word them.
"""

from enum import StrEnum


class FaultCode(StrEnum):
    INVALID = "invalid"
    MISSING = "missing"
    TOO_MANY_FAULTS = "too_many_faults"
    UNKNOWN_PARAMETER = "unknown_parameter"
    MISSPELT_PARAMETER = "misspelt_parameter"
    NO_PARAMETERS = "no_parameters"
    REPEATED_PARAMETER = "repeated_parameter"
    TOO_MANY_TAGS = "too_many_tags"
    NOT_ENTITY_TAGS = "not_entity_tags"
    NO_CONDITION = "no_condition"
    NOT_A_TIME = "not_a_time"
    PAST_TIME = "past_time"
    FAR_TIME = "far_time"

    # a value of another kind
    NOT_TEXT = "not_text"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_WHOLE_NUMBER = "not_a_whole_number"
    NOT_TRUE_OR_FALSE = "not_true_or_false"
    NOT_AN_OBJECT = "not_an_object"
    NOT_AN_ARRAY = "not_an_array"
    NOT_TEXT_OR_NUMBER = "not_text_or_number"
    NUMBER_TOO_LARGE = "number_too_large"

    # a value that is not taken
    NOT_ONE_OF = "not_one_of"
    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_LONG_AS_BYTES = "too_long_as_bytes"
    TOO_MANY_ENTRIES = "too_many_entries"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    NOT_ONE_LINE = "not_one_line"
    NOT_IN_FORM = "not_in_form"
    BAD_KEY = "bad_key"
    NO_TIME = "no_time"
    NO_OFFSET = "no_offset"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    NO_EPOCH = "no_epoch"

    # a field
    UNKNOWN_FIELD = "unknown_field"
    MISSPELT_FIELD = "misspelt_field"
    GIVEN_TWICE = "given_twice"

    # a text that is none
    HALF_A_PAIR = "half_a_pair"
    NOT_UTF8 = "not_utf8"

    # a body that is not JSON, or not as it says
    NO_BODY = "no_body"
    NOT_JSON = "not_json"
    JSON_ENDS_EARLY = "json_ends_early"
    JSON_TOO_DEEP = "json_too_deep"
    JSON_SINGLE_QUOTES = "json_single_quotes"
    JSON_NAME_WITHOUT_QUOTES = "json_name_without_quotes"
    JSON_TRAILING_COMMA = "json_trailing_comma"
    JSON_MISSING_COMMA = "json_missing_comma"
    JSON_NO_SUCH_WORD = "json_no_such_word"
    JSON_LEADING_ZERO = "json_leading_zero"
    JSON_CONTROL_CHARACTER = "json_control_character"
    JSON_BACKSLASH = "json_backslash"
    JSON_COMMENT = "json_comment"
    JSON_GOES_ON = "json_goes_on"
    IS_NDJSON = "is_ndjson"
    IS_NOT_NDJSON = "is_not_ndjson"
    IS_WRAPPED = "is_wrapped"
    IS_FORM = "is_form"
    IS_MULTIPART = "is_multipart"
    IS_MARKUP = "is_markup"
    IS_GZIP = "is_gzip"
    IS_UTF16 = "is_utf16"
    TOO_MANY_MESSAGES = "too_many_messages"
    TOO_MANY_PARTS = "too_many_parts"
    SEVERAL_KINDS = "several_kinds"

    # a setting
    NO_ID = "no_id"
    NO_WEBHOOK_ID = "no_webhook_id"
    TAKEN = "taken"
    NO_ADDRESS = "no_address"
    NO_ZONE = "no_zone"
    NO_ZONE_BUT_NEAR = "no_zone_but_near"
    NO_DURATION = "no_duration"
    NO_AGGREGATION = "no_aggregation"
    TWO_WINDOWS = "two_windows"
    NO_RATE = "no_rate"
    NO_BUDGET = "no_budget"
    NO_SUCCESS = "no_success"
    NO_SUCCESS_STATUS = "no_success_status"
    NO_POINTER = "no_pointer"
    NO_TEST = "no_test"
    NOT_A_SCALAR = "not_a_scalar"
    NEVER_MET = "never_met"
    NO_RULE_LINE = "no_rule_line"
    LASTS_TOO_LONG = "lasts_too_long"
    NESTED_ANY = "nested_any"
    NOT_A_WINDOW = "not_a_window"
    ONLY_A_LENGTH = "only_a_length"
    NO_END_OF_WINDOW = "no_end_of_window"
    SEVERAL_ENDS = "several_ends"
    NO_LENGTH = "no_length"
    MAX_BELOW_QUIET = "max_below_quiet"
    NO_TIME_OF_DAY = "no_time_of_day"
    NO_DAY = "no_day"
    FIRST_WITH_NONE = "first_with_none"
    ONLY_BESIDE = "only_beside"
    NOT_BESIDE_RULES = "not_beside_rules"
    NESTED_RULES = "nested_rules"
    NO_ELSE = "no_else"
    MERGE_OR_DISCARD = "merge_or_discard"
    UNKNOWN_PLACEHOLDER = "unknown_placeholder"
    NOT_A_PATH = "not_a_path"
    SEVERAL_LISTS = "several_lists"

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
    NO_LIMIT = "no_limit"
    NO_CURSOR = "no_cursor"
    CHAT_WANTED = "chat_wanted"
    NO_FILTER_OF_QUEUE = "no_filter_of_queue"
    NO_STATUS = "no_status"
    NO_PHONE = "no_phone"
    NO_TIME_OR_AGE = "no_time_or_age"
    ENDS_BEFORE = "ends_before"
    NO_SINCE = "no_since"
    NO_TYPE = "no_type"
    MISSPELT_TYPE = "misspelt_type"
    NO_EVENTS_OF = "no_events_of"
    NO_EVENTS_OF_WEBHOOK = "no_events_of_webhook"
    NO_REASON = "no_reason"
    NO_KEY = "no_key"
    KEY_REUSED = "key_reused"
    GIVEN_TOO_OFTEN = "given_too_often"
    NOT_ABSOLUTE = "not_absolute"
    NO_FOLDER = "no_folder"
    HELLO_TOO_LATE = "hello_too_late"
    HELLO_CUT_SHORT = "hello_cut_short"
    HELLO_TOO_LONG = "hello_too_long"


# Of what counts as delivered; the others stand in faults.py.
OF_SUCCESS: dict[FaultCode, str] = {
    FaultCode.NO_SUCCESS: 'must be "200", "2xx" or a list of statuses, as [200, 202]; is {got}',
    FaultCode.NO_SUCCESS_STATUS: "must be a number from 200 to 299, or 409, or 410; is {got}",
    FaultCode.NO_POINTER: (
        "must be a JSON pointer, which begins with a slash, as /ok or /errors/0; in a name ~ is "
        "written ~0, and / is written ~1; is {got}"
    ),
    FaultCode.NO_TEST: "must have one of exists, absent and equals, and only one",
    FaultCode.NOT_A_SCALAR: "must be text, a number, true, false or null; is {given}",
    FaultCode.NEVER_MET: "can never be met: the empty pointer is the whole answer",
    FaultCode.NO_RULE_LINE: (
        "{got} is no rule; write {example}, /errors absent or /id exists; a text is written "
        'in quotes, as /status equals "ok"'
    ),
}
