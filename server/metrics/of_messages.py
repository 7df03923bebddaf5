"""Counters of messages: the end of each name, the total in the database, and what it says.

And the counter of what came of the events of sources.
"""

OF_MESSAGES = (
    ("differing", "differs", "Duplicates with another text than before, which was not stored"),
    ("unrouted", "unrouted", "Messages that no webhook's filter wanted"),
    ("overflowed", "overflowed", "Messages that a full webhook did not get; one for each webhook"),
    ("edited", "edited", "Messages that were edited before they were sealed"),
    ("removed", "removed", "Messages that were deleted before they were sealed"),
    (
        "late_changes",
        "late",
        "Edits and deletions that came after a webhook had sealed the message",
    ),
    ("unmatched_changes", "unmatched", "Edits and deletions whose message did not come"),
)

SOURCE_EVENTS = "source_events", "Events of sources, by what came of them"
