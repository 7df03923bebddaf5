"""`send --sample N`: messages of four believable chats, in turns, which end now.

Their ids begin with what the caller gives, so a sample that is sent again is no duplicate; the
chats stay the same ones. No phone of it can belong to anybody: they begin as fictional ones do.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hookbundle.commands.message_input import BATCH_MESSAGES, Batch
from hookbundle.engine.messages.timestamps import rfc_3339

APART_MS = 20_000
ACCOUNT = {"full_name": "Dana Levi", "email": "dana@sample.example", "phone": "+15550100"}
DANA = {"full_name": "Dana Levi", "phone": "+15550100"}


@dataclass(frozen=True, slots=True)
class Chat:
    """`lines`: who writes what; an empty name is the team, which is Dana."""

    chat_id: str
    full_name: str
    phone: str | None
    lines: tuple[tuple[str, str], ...]

    @property
    def is_group(self) -> bool:
        return self.phone is None


CHATS = (
    Chat(
        "sample-john",
        "John Doe",
        "+15550101",
        (
            ("John Doe", "Hi! Is the blue one <still> in stock?"),
            ("", "Hello John 👋 yes, three left.\nShall I put one aside?"),
            ("John Doe", "Yes please 🙏"),
            ("", "Done. It is yours until Friday."),
            ("John Doe", "One more thing: do you deliver on Sundays?"),
            ("", "We do, between 9 and 12 ☕"),
            ("John Doe", "Perfect, Sunday at 10 then & thanks!"),
        ),
    ),
    Chat(
        "sample-team",
        "فريق المبيعات",
        None,
        (
            ("ليلى", "صباح الخير، وصلت الشحنة 🎉"),
            ("", "شكراً ليلى! كم صندوقاً؟"),
            ("ليلى", "١٢ صندوقاً، وواحد مفتوح"),
            ("عمر", "سأصوّره وأرسله إلى المورّد"),
            ("", "ممتاز، order #4711 ما زال ينتظر"),
        ),
    ),
    Chat(
        "sample-maha",
        "مها الحداد",
        "+15550102",
        (
            ("مها الحداد", "مرحباً، هل يمكن تغيير موعد الغد؟"),
            ("", "أهلاً مها، بالتأكيد. هل يناسبك الخميس الساعة 16:30؟"),
            ("مها الحداد", "نعم، يناسبني 👍"),
            ("", "تم الحجز ✅ نراك الخميس"),
        ),
    ),
    Chat(
        "sample-sofia",
        "Sofia Rossi",
        "+15550103",
        (
            ("Sofia Rossi", "Good morning ☀️ the invoice says 120 €, not 100 €?"),
            ("", "Good morning Sofia, one moment, I am looking it up."),
            ("Sofia Rossi", "👩‍💻 no rush"),
            ("", "You are right, it is 100 €. The corrected invoice is on its way 📄"),
            ("Sofia Rossi", "Grazie mille ❤️"),
        ),
    ),
)


def sample(count: int, prefix: str, now_ms: int) -> list[Batch]:
    """So many messages, of which the last is of `now_ms`, as batches of `send`."""
    began_ms = now_ms - (count - 1) * APART_MS
    lines = [
        _encoded(chat, name, text, f"{prefix}-{n + 1}", began_ms + n * APART_MS)
        for n, (chat, name, text) in enumerate(islice(_talk(), count))
    ]
    return [
        Batch(
            "message",
            list(range(start + 1, min(start + BATCH_MESSAGES, count) + 1)),
            b"".join(lines[start : start + BATCH_MESSAGES]),
        )
        for start in range(0, count, BATCH_MESSAGES)
    ]


def _talk() -> Iterator[tuple[Chat, str, str]]:
    """A line of each chat in turns, for ever; one that has ended begins again."""
    line = 0
    while True:
        for chat in CHATS:
            yield (chat, *chat.lines[line % len(chat.lines)])
        line += 1


def _encoded(chat: Chat, name: str, text: str, message_id: str, at_ms: int) -> bytes:
    contact = {"full_name": chat.full_name, "phone": chat.phone}
    sender = DANA if not name else {"full_name": name, "phone": chat.phone}
    event: dict[str, Any] = {
        "whatsapp_account": ACCOUNT,
        "chat": {
            "full_name": chat.full_name,
            "responsible_name": "Dana Levi",
            "responsible_email": "dana@sample.example",
            "chat_url": f"https://inbox.example/chat/{chat.chat_id}/",
            "chat_id": chat.chat_id,
            "is_new_chat": False,
            "is_group": chat.is_group,
            "phone": chat.phone,
        },
        "message": {
            "direction": "received" if name else "sent",
            "timestamp": rfc_3339(at_ms),
            "message_id": message_id,
            "sender": sender,
            "recipient": contact if not name or chat.is_group else DANA,
            "text": text,
        },
    }
    return json.dumps(event, ensure_ascii=False).encode() + b"\n"
