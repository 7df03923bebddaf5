"""`make docs`: puts the tables of formats.md into it, made from the code."""

import re
from pathlib import Path

from hookbundle.engine.formats import shapes
from hookbundle.engine.formats.filters import FILTERS, Kind
from hookbundle.engine.formats.presets import Preset, presets

DOCUMENT = Path(__file__).with_name("formats.md")
MEANINGS = {
    "chat": "as in the seed's body",
    "whatsapp_account": "as in the seed's body",
    "messages": "in order; of a single message a list of one",
    "messages[]": "of a message, as in the seed's body; `local_time` as people read it: "
    "`2021-02-24 18:25`",
    "first_message_timestamp": "`2021-02-24T16:25:29+0000`, always UTC",
    "last_message_timestamp": "the same",
    "aggregation": "the seed's HTML of the conversation, also of a single message",
    "first_message_local_time": "`2021-02-24 18:25`, in the workspace's time zone",
    "last_message_local_time": "the same",
    "time_zone": "the name of the workspace's time zone",
    "link": "to the first message, else to the chat; empty if neither is http(s)",
    "labels": "of the chat",
    "bundle": "`sequence` rises within the webhook, with gaps; `part` numbers the bundles that "
    "were sealed for size from one window; `reason` says why it was sealed",
    "contact": "whom a direct chat is with; a group has no phone. `phone_e164` is `+972501234567`, "
    "`phone_digits` the same without `+`",
    "refs": "the id of the contact's record in another system, under the key that its sender "
    "gave it",
    "stats": "of this bundle alone; `first_reply_seconds` from the first message received to the "
    "first one sent after it, nothing without both; `unanswered`: the last message was received",
}
FILTER_MEANINGS = {
    "default": "its argument, if the value is empty, missing or false",
    "escape": "HTML: `& < > \" '` as entities",
    "strip": "without spaces at both ends",
    "upcase": "in capital letters",
    "downcase": "in small letters",
    "truncate": "at most so many characters (50), the `...` of its end, or another one, included",
    "date": "a time by a form, in the workspace's zone or a named one: "
    "`date: '%d.%m.%Y %H:%M', 'UTC'`",
    "first": "the first of a list",
    "last": "the last of a list",
    "size": "how many characters or entries there are",
    "plus": "the sum; a text of digits counts as its number, so `plus: 0` makes a number of it",
    "minus": "the difference",
    "json": "the value as JSON; of a number its digits, as a text",
    "url_encode": "for the query of a URL; a space becomes `+`",
    "text": "plain text: control characters taken out, line ends as `\\n`, directional controls "
    "closed; of `messages` a line for each, `2021-02-24 18:25 Dana: hello`. `text: 'slack'` writes "
    "`& < >` as Slack wants them",
    "html": "the same as HTML, escaped, with `<br/>`; of `messages` a line for each, the name in "
    "`<strong>`",
    "digits": "only the digits, if there are at most 32",
    "e164": "`+972501234567`; empty if it is no phone with its country's code",
    "ms": "milliseconds since 1970, a number",
}


def names() -> str:
    rows = ["| name | its fields | what it is |", "|---|---|---|"]
    for name, shape in shapes.CONTEXT.items():
        rows.append(f"| `{name}` | {_fields(shape)} | {MEANINGS[name]} |")
        if isinstance(shape, shapes.ListShape) and isinstance(shape.item, shapes.RecordShape):
            rows.append(f"| `{name}[0]` … | {_fields(shape.item)} | {MEANINGS[f'{name}[]']} |")
    rows.append(
        "| `options` | what `format_options` has | the variables of the format, all texts |"
    )
    return "\n".join(rows) + "\n"


def _fields(shape: shapes.Shape) -> str:
    match shape:
        case shapes.RecordShape(fields, open_shape):
            found = [
                f"`{name}`"
                + (f" (`{', '.join(part.fields)}`)" if isinstance(part, shapes.RecordShape) else "")
                for name, part in fields.items()
            ]
            return ", ".join(found + (["any key"] if open_shape else []))
        case shapes.ListShape():
            return "`first`, `last`, `size`, `[0]`, `[-1]`"
        case _:
            return ""


def filters() -> str:
    rows = ["| filter | values after `:` | what it gives |", "|---|---|---|"]
    rows += [
        f"| `{name}` | {_count(kind)} | {FILTER_MEANINGS[name].replace('|', chr(92) + '|')} |"
        for name, kind in FILTERS.items()
    ]
    return "\n".join(rows) + "\n"


def _count(kind: Kind) -> str:
    return str(kind.most) if kind.least == kind.most else f"{kind.least} to {kind.most}"


def listed() -> str:
    rows = ["| preset | what it makes | success | limits, rate | options | without a record |"]
    rows.append("|---|---|---|---|---|---|")
    rows += [_row(preset) for preset in presets().values()]
    notes = [
        f"- `{preset.name}`: {note.en}." for preset in presets().values() for note in preset.notes
    ]
    return "\n".join([*rows, "", "What to know of the receivers:", "", *notes]) + "\n"


def _row(preset: Preset) -> str:
    bounds = [
        *([f"{preset.limits.messages:,} messages"] if preset.limits.messages else []),
        *([f"{preset.limits.bytes:,} bytes"] if preset.limits.bytes else []),
        *([preset.rate] if preset.rate else []),
    ]
    rules = f", {len(preset.success_rules)} rules" if preset.success_rules else ""
    options = [
        f"`{each.name}`{' (required)' if each.required else ''}" for each in preset.variables
    ]
    record = f"`{preset.no_record}` (needs {' or '.join(preset.record)})" if preset.record else ""
    cells = (f"`{preset.name}`", preset.about.en, f"`{preset.success}`{rules}", ", ".join(bounds))
    return f"| {' | '.join(cells)} | {', '.join(options)} | {record} |"


TABLES = {"names": names, "filters": filters, "presets": listed}


def renewed(document: str) -> str:
    for name, made in TABLES.items():
        table = re.compile(rf"(?<=<!-- {name} -->\n).*(?=<!-- /{name} -->)", re.DOTALL)
        text = made()
        document = table.sub(lambda _, text=text: text, document)
    return document


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
