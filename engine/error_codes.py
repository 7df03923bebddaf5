"""Every error that the API can answer with: its code, its status, what it says, what to do.

A code is stable: programs go by it. The words are what people read, in English here and in the
console's other languages under the same texts (server/console/locale). `docs/errors.md` and the
page at `/docs/errors` are made from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

QUOTED_CHARS_MAX = 80  # of a text from outside, in an error, a fault, or a mail


class Term(StrEnum):
    """Words of our own that fill the gap of a sentence; each language has its own for them."""

    REQUEST_BYTES = "bytes of requests under way"
    CONNECTIONS = "connections"
    LIVE_PAGES = "live pages"
    FEED_READERS = "readers of the feed"
    LARGE_ANSWERS = "large answers under way"
    LISTS = "lists being read"
    TESTS = "test requests under way"
    PREVIEWS = "previews of a format under way"
    HOURLY_TESTS = "test requests of this hour"
    HOURLY_MAIL_TESTS = "tries of the mail server of this hour"
    LOOK_UPS = "look-ups of host names"
    CHANGES = "changes waiting to be stored"
    BODIES_TO_RENDER = "bodies waiting to be rendered"
    UNKNOWN_TOKENS = "questions for tokens that are not known here"
    PASSED_ON = "requests passed on to other nodes"


# A text that came from outside is quoted; a number and a term are shown as they are.
Value = str | int | Term


class Code(StrEnum):
    """In the order of the tables that word them: error_table.py, then resource_errors.py."""

    UNREADABLE_REQUEST = "unreadable_request"
    HOST_MISSING = "host_missing"
    PATH_NOT_UTF8 = "path_not_utf8"
    HEADER_NOT_UTF8 = "header_not_utf8"
    BODY_GARBLED = "body_garbled"
    SMALL_CHUNKS = "small_chunks"
    FORM_GARBLED = "form_garbled"
    SOURCE_BODY_NOT_JSON = "source_body_not_json"
    NO_TOKEN = "no_token"
    SOURCE_NOT_PROVEN = "source_not_proven"
    TOKEN_EXPIRED = "token_expired"
    INTAKE_TOKEN = "intake_token"
    TOKEN_OF_WORKSPACE = "token_of_workspace"
    OPERATORS_ONLY = "operators_only"
    OWNER_EMAIL_FIXED = "owner_email_fixed"
    CONTROL_SOCKET_ONLY = "control_socket_only"
    SIGNED_OUT = "signed_out"
    FOREIGN_PAGE = "foreign_page"
    FOREIGN_FORM = "foreign_form"
    NO_PATH = "no_path"
    NO_PAGE = "no_page"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_SLOW = "body_too_slow"
    BODY_TOO_LARGE = "body_too_large"
    UNKNOWN_ENCODING = "unknown_encoding"
    NOT_A_FORM = "not_a_form"
    UNKNOWN_EXPECTATION = "unknown_expectation"
    WRONG_HOST = "wrong_host"
    INVALID_INPUT = "invalid_input"
    WAITING_FULL = "waiting_full"
    CHATS_FULL = "chats_full"
    HELD_FULL = "held_full"
    HELD_TOO_LONG = "held_too_long"
    SHARE_USED = "share_used"
    ALLOWANCE_USED = "allowance_used"
    TOO_MANY_LIVE_PAGES = "too_many_live_pages"
    HEAD_TOO_LARGE = "head_too_large"
    HEAD_LINE_TOO_LONG = "head_line_too_long"
    INTERNAL_ERROR = "internal_error"
    NOT_READY = "not_ready"
    STOPPING = "stopping"
    UPGRADING = "upgrading"
    ALL_USED = "all_used"
    CONNECTIONS_USED = "connections_used"
    FEED_FULL = "feed_full"
    DATABASE_GROWING = "database_growing"
    ACTOR_FAILED = "actor_failed"
    QUARANTINED = "quarantined"
    STORE_STOPPED = "store_stopped"
    NOT_OWNER = "not_owner"
    NO_OWNER = "no_owner"
    LOG_WAITS = "log_waits"
    PARTITION_STOPPED = "partition_stopped"
    PARTS_MISSING = "parts_missing"
    NOT_IN_A_CLUSTER = "not_in_a_cluster"
    ANSWER_LOST = "answer_lost"
    STORE_FAILED = "store_failed"
    DATA_READ_ONLY = "data_read_only"
    DATA_DAMAGED = "data_damaged"
    DATA_UNUSABLE = "data_unusable"
    DISK_FULL = "disk_full"
    DISK_NEARLY_FULL = "disk_nearly_full"
    MAP_FULL = "map_full"
    NO_WORKSPACE = "no_workspace"
    WORKSPACE_DELETED = "workspace_deleted"
    NO_WEBHOOK = "no_webhook"
    UNKNOWN_WEBHOOK = "unknown_webhook"
    NO_OUTBOUND = "no_outbound"
    NO_CHAT = "no_chat"
    NO_WINDOW = "no_window"
    NO_DELIVERY = "no_delivery"
    NO_REQUEST = "no_request"
    NO_REPLAY = "no_replay"
    UNKNOWN_TOKEN = "unknown_token"
    UNKNOWN_SOURCE = "unknown_source"
    NO_SOURCE = "no_source"
    NOT_WAITING = "not_waiting"
    NO_WEBHOOK_URL = "no_webhook_url"
    SAMPLE_NOT_RENDERED = "sample_not_rendered"
    SMTP_NOT_SET = "smtp_not_set"
    WEBHOOK_DISABLED = "webhook_disabled"
    WORKSPACE_EXISTS = "workspace_exists"
    WEBHOOK_EXISTS = "webhook_exists"
    TOO_MANY_WEBHOOKS = "too_many_webhooks"
    LAST_WEBHOOK = "last_webhook"
    TOO_MANY_WORDS = "too_many_words"
    TOO_MANY_SECRETS = "too_many_secrets"
    TOO_MANY_SOURCES = "too_many_sources"
    TOO_MANY_SOURCE_TOKENS = "too_many_source_tokens"
    BEING_SENT = "being_sent"
    ATTEMPT_OVER = "attempt_over"
    NOT_DELIVERED_YET = "not_delivered_yet"
    DISCARDED_NOT_RESENT = "discarded_not_resent"
    RESENDS_ENDING = "resends_ending"
    WAS_MERGED = "was_merged"
    NOTHING_MERGES = "nothing_merges"
    REPLAY_UNDER_WAY = "replay_under_way"
    REPLAY_OVER = "replay_over"
    MAINTENANCE_UNDER_WAY = "maintenance_under_way"
    IN_NO_CLUSTER = "in_no_cluster"
    NO_PARTITION = "no_partition"
    NO_NODE = "no_node"
    NODE_LEAVES = "node_leaves"
    NO_FRESH_COPY = "no_fresh_copy"
    NOBODY_STAYS = "nobody_stays"
    NODE_REFUSES = "node_refuses"
    NOT_MOVED = "not_moved"
    NODE_LIVES = "node_lives"
    UNKNOWN_NODE = "unknown_node"
    NODES_BEHIND = "nodes_behind"
    NODES_NOT_RECORDED = "nodes_not_recorded"
    COMPACTION_UNDER_WAY = "compaction_under_way"
    CHECK_UNDER_WAY = "check_under_way"
    NO_WHOLE_COPY = "no_whole_copy"
    CLAIMED_MEANWHILE = "claimed_meanwhile"
    ERASES_STILL = "erases_still"
    DIRECTORY_INSIDE_DATA = "directory_inside_data"
    DIRECTORY_NOT_EMPTY = "directory_not_empty"
    DELIVERY_TRIMMED = "delivery_trimmed"
    CHANGED_MEANWHILE = "changed_meanwhile"
    MADE_MEANWHILE = "made_meanwhile"
    MORE_TO_DISCARD = "more_to_discard"
    WEBHOOK_CHANGED = "webhook_changed"
    WEBHOOK_DELETED = "webhook_deleted"
    SOURCE_CHANGED = "source_changed"
    WEBHOOK_PRECONDITION = "webhook_precondition_required"
    DELETED_MEANWHILE = "deleted_meanwhile"
    PRECONDITION_REQUIRED = "precondition_required"
    BAD_REQUEST = "bad_request"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    QUOTA_REACHED = "quota_reached"
    TOO_MANY_REQUESTS = "too_many_requests"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`sentence` says what is wrong, with gaps like `{workspace}`; `remedy` what to do.

    `retry`: the same request may succeed later without anybody doing anything.
    """

    status: int
    sentence: str
    remedy: str
    retry: bool = False


def quoted(given: str) -> str:
    """A text from outside as errors and faults quote it: bounded, what is invisible escaped.

    Letters of every script stay readable. Where others put it among words of their own (a page, a
    mail), they isolate its direction too.
    """
    return repr(bounded(given))


def bounded(given: str) -> str:
    """The text, or if it is long its beginning: at most QUOTED_CHARS_MAX characters."""
    return given if len(given) <= QUOTED_CHARS_MAX else given[: QUOTED_CHARS_MAX - 1] + "…"


def in_english(meaning: Meaning, values: Mapping[str, Value]) -> str:
    """The sentence with its gaps filled, and what to do."""
    return f"{meaning.sentence}; {meaning.remedy}".format(
        **{name: _in_english(value) for name, value in values.items()}
    )


def _in_english(value: Value) -> str:
    if isinstance(value, str) and not isinstance(value, Term):
        return quoted(value)
    return str(value)
