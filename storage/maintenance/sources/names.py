"""The names that a check gives to records of sources, from their keys alone."""

from hookbundle.storage.database.sources import keys
from hookbundle.storage.tables.sources.memory import Map

KINDS = {
    keys.SOURCES: "source",
    keys.TOKENS: "token of a source",
    keys.MEMORY: "memory of a source",
    keys.REQUESTS: "request of a source",
    keys.OF_CHATS: "row of a source under a chat",
}


def name_of(key: bytes) -> str:
    """What a check calls the record, without its workspace. Raises: as the key's reader says."""
    letter = key[:1]
    if letter == keys.TOKENS:
        return f"token {key[1:7].hex()} of a source"
    if letter == keys.SOURCES:
        _, source, which = keys.in_record(key)
        return f"{('settings', 'notes', 'memory')[which]} of source {source}"
    if letter == keys.REQUESTS:
        _, source, number, which = keys.in_request(key)
        return f"{('request', 'body of request')[which]} {number} of source {source}"
    if letter == keys.OF_CHATS:
        _, chat, of_chat = keys.in_chat(key)
        return f"row of source {of_chat.source} under chat {chat.decode()!r}"
    if keys.is_place(key):
        _, source, ring, number, _ = keys.in_place(key)
        return f"place {number} in ring {ring} of source {source}"
    _, source, name = keys.in_entry(key)
    return f"{Map(name.map).name} {name.digest.hex()} of source {source}"


def check_key(key: bytes) -> None:
    """Raises: ValueError, struct.error or IndexError if the key was not made by sources/keys.py."""
    name_of(key)
