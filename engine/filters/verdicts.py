"""Why a filter drops a message: a code for each kind of condition, and its sentence in English.

The codes are stable: programs go by them, and other languages word them.
"""

from enum import StrEnum


class FilterCode(StrEnum):
    """Which condition did not hold, and of some, why."""

    DIRECTION = "direction"
    KIND = "kind"
    IS_NEW_CHAT = "is_new_chat"
    CHAT_IDS = "chat_ids"
    ACCOUNT = "account"
    RESPONSIBLE = "responsible"
    LABELS_ANY = "labels_any"
    LABELS_ALL = "labels_all"
    LABELS_NONE = "labels_none"
    TEXT_CONTAINS = "text_contains"
    TEXT_LACKS = "text_lacks"
    ANY = "any"


SENTENCES: dict[FilterCode, str] = {
    FilterCode.DIRECTION: "The filter wants messages of another direction.",
    FilterCode.KIND: "The filter wants another kind of chat: direct chats, or groups.",
    FilterCode.IS_NEW_CHAT: "The filter asks whether the chat is new, and wants the other answer.",
    FilterCode.CHAT_IDS: "The chat is none of those that the filter lists.",
    FilterCode.ACCOUNT: "The WhatsApp account is none of those that the filter lists.",
    FilterCode.RESPONSIBLE: "Nobody of those that the filter lists is responsible for the chat.",
    FilterCode.LABELS_ANY: "The chat has none of the labels of which the filter wants one.",
    FilterCode.LABELS_ALL: "The chat has not all of the labels that the filter wants.",
    FilterCode.LABELS_NONE: "The chat has a label that the filter does not want.",
    FilterCode.TEXT_CONTAINS: "The text has none of the words of which the filter wants one.",
    FilterCode.TEXT_LACKS: "The text has a word that the filter does not want.",
    FilterCode.ANY: "None of the groups of `any` matches in all that it asks for.",
}
