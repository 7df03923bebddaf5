"""All limits in one place, with assertions on how they depend on each other."""

WORKSPACE_ID_CHARS_MAX = 64
CHAT_ID_BYTES_MAX = 200
MESSAGE_ID_CHARS_MAX = 512
NAME_CHARS_MAX = 1_024
WEBHOOKS_MAX = 20  # of a workspace
WEBHOOK_ID_CHARS_MAX = 32
URL_CHARS_MAX = 2_048
TEXT_CHARS_MAX = 65_536  # WhatsApp's own limit for a text
LABELS_MAX = 20
LABEL_CHARS_MAX = 100
REFS_MAX = 10
REF_KEY_CHARS_MAX = 32
REF_CHARS_MAX = 128
ZONE_CHARS_MAX = 64  # the longest name of a time zone has 32

REQUEST_BYTES_MAX = 8 * 1024 * 1024
REQUEST_MESSAGES_MAX = 10_000
CLOSE_REASON_CHARS_MAX = 200
FAULTS_LISTED_MAX = 100
DIFFERS_LISTED_MAX = 100
SETTINGS_BYTES_MAX = 256 * 1024  # of any request that brings no messages

BUNDLE_MESSAGES_MAX = 1_000
BUNDLE_BODY_BYTES_MAX = 1024 * 1024
# A webhook may set smaller ones. Account, chat and link, which every bundle has, often take more
# than half of this: with less, nearly every message would go alone, as 1 message says more plainly.
BUNDLE_BODY_BYTES_LEAST = 1_024

WINDOW_MS_MIN = 1_000
WINDOW_MS_MAX = 86_400_000
WINDOW_LONGEST_MS = 8 * 86_400_000  # a weekly time, moved into hours, with a change of the clock
WINDOW_RULES_MAX = 10
WINDOW_TIMES_MAX = 24  # of a day
WINDOW_BYTES_MAX = 32 * 1024  # as compact JSON; its rules may hold as many filters
REMEMBERED_MS = 48 * 3_600_000  # the minimum time for which a message id is known as a duplicate

# Of arrival times, for simulations: of a day, and of a workspace on the disk. Past that its oldest
# days go; if all of it is of today, no more are kept.
ARRIVALS_DAYS = 10
ARRIVALS_BYTES_MAX = 32 * 1024 * 1024

# Of edits and deletions that come before their message: for how long they are kept, how many of a
# chat, and of a workspace on the disk. Past that they find nothing.
EARLY_CHANGES_MS = 60_000
EARLY_CHANGES_OF_CHAT = 16
EARLY_CHANGES_MAX = 10_000
EARLY_CHANGES_BYTES_MAX = 16 * 1024 * 1024

TOKEN_LIFE_MS_MAX = 3_653 * 86_400_000  # ten years; one that is to stay for good has no end
SECRET_KEPT_MS_MAX = 30 * 86_400_000  # how long a rotated secret still signs

HELD_MESSAGES_MAX = 100_000
HELD_MS_MAX = 7 * 86_400_000
# Of what a workspace has in windows, queue and dead letters, whether webhooks are enabled or not;
# of n webhooks each may have an n-th.
WAITING_MESSAGES_MAX = 1_000_000
WAITING_BYTES_MAX = 2 * 1024 * 1024 * 1024
WAITING_CHATS_MAX = 1_000_000  # with an open window

SOURCES_MAX = 20  # of a workspace
SOURCE_TOKENS_MAX = 5  # of a source: the present one, and former ones that are still good
# What a source remembers; the oldest go first. Which chat a message is in pushes out only its like.
SOURCE_ENTRIES_MAX = 100_000
SOURCE_MEMORY_BYTES_MAX = 16 * 1024 * 1024
SOURCE_MESSAGES_MAX = 20_000
SOURCE_MESSAGES_BYTES_MAX = 8 * 1024 * 1024
SOURCE_VALUE_BYTES_MAX = 1_024  # of a name; a longer one is not remembered
# Requests that are kept of a source, and how many of these may be without a message or change.
SOURCE_REQUESTS_MAX = 50
SOURCE_QUIET_REQUESTS_MAX = 10
SOURCE_REQUEST_BYTES_MAX = 64 * 1024  # of the body of one
SOURCE_REQUEST_MS_MAX = 7 * 86_400_000

FILTER_BYTES_MAX = 16 * 1024  # as compact JSON
FILTER_GROUPS_MAX = 10
FILTER_WORDS_MAX = 20  # of a condition on the text
FILTER_WORD_CHARS_MAX = 200
# In all filters of a workspace: each is looked for in each text, while others wait.
FILTER_WORDS_OF_ALL_MAX = 200
FILTER_VALUES_MAX = 100  # of any other condition

FORMAT_BYTES_MAX = 32 * 1024  # of a template, as compact JSON
FORMAT_DEPTH_MAX = 20
FORMAT_OPTIONS_MAX = 20
FORMAT_OPTION_CHARS_MAX = 1_024
# The answer of a receiver: how much is read, and the rules that judge it.
ANSWER_READ_BYTES_MAX = 16 * 1024
SUCCESS_RULES_MAX = 3  # of a webhook
SUCCESS_POINTER_CHARS_MAX = 256
SUCCESS_VALUE_CHARS_MAX = 256

SECRETS_MAX = 5  # per request; each lengthens its signature header by 48 bytes

ACTIVITY_ENTRIES = 10
LOG_ENTRIES = 100

LMDB_KEY_BYTES_MAX = 511
KEY_BYTES_BESIDE_CHAT_ID = 32  # prefix, due time, kind, workspace number, part number
TRANSITIONS_PER_COMMIT_MAX = 1_024

# Weights are microseconds of the Store's thread: see storage/transitions/costs.py.
GROUP_WEIGHT = 25_000  # of what is committed together
STEP_WEIGHT = 8_000  # of one transition; longer work takes several
PART_MESSAGES_MAX = 500  # of a chat, in one transition: about a step
PART_CHANGES_MAX = 100  # edits and deletions of a chat, in one transition
PART_BYTES_MAX = 128 * 1024  # for which 200 words are looked for in 5 to 40 ms

# A character takes at most six bytes, as JSON (`\u0001`) or as HTML (`&quot;`), and a bundle's body
# holds each message twice, as JSON and in the aggregation. Any single message must fit in a bundle.
BYTES_PER_CHAR_MAX = 6
BODY_FRAME_BYTES_MAX = 128 * 1024  # account, chat, names, link: a dozen short fields

assert CHAT_ID_BYTES_MAX + KEY_BYTES_BESIDE_CHAT_ID <= LMDB_KEY_BYTES_MAX
assert 2 * BYTES_PER_CHAR_MAX * TEXT_CHARS_MAX + BODY_FRAME_BYTES_MAX <= BUNDLE_BODY_BYTES_MAX
assert BUNDLE_BODY_BYTES_MAX < REQUEST_BYTES_MAX
assert WINDOW_MS_MAX < REMEMBERED_MS
assert FILTER_BYTES_MAX < WINDOW_BYTES_MAX
assert 3 * STEP_WEIGHT <= GROUP_WEIGHT  # a long step of each lane has room beside those of others
