"""Texts that try to be more than text: a second line, a header, a command, a formula."""

TEXTS = (
    "a\r\nBcc: evil@x.example",
    "a\nTo: evil@x.example\n\nhello",
    "a\rSubject: other",
    "a\r\n.\r\nMAIL FROM:<evil@x.example>\r\n",
    "a\r\n\r\n<b>body</b>",
    "a\x00b",
    "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g",
    "a\u2028Bcc: evil@x.example\u2029b",
    "=?utf-8?q?=0D=0ABcc:_evil=40x.example?=",
    "\x1b[2J\x1b[1;1Hgone",
    "\x1b]0;title\x07",
    "\x9b2J\x9d0;title\x9c",
    "\x7f\x08\x08\x08",
    "user\u202egnp.exe\u2066x",
    "\ufeff\u200b\u200dzero",
    '=HYPERLINK("https://evil.example","x")',
    "+1+cmd|'/c calc'!A0",
    '\n{"level":"critical","event":"forged"}\n',
    "data: x\n\nevent: forged\ndata: {}",
    '"} forged{x="1"} 1\nforged 2',
    "[bold red]x[/] [link=https://evil.example]y[/link]",
    "%s %(a)s {0} {{7*7}} ${7*7}",
    "שלום \U0001f600 " + "z" * 400,
)
ADDRESSES = (
    "a@b.example, evil@x.example",
    "a@b.example; evil@x.example",
    "a@b.example evil@x.example",
    "a@b.example\r\nBcc: evil@x.example",
    "a@b.example\nBcc: evil@x.example",
    "<a@b.example>,<evil@x.example>",
    "a@b.example (evil@x.example)",
    '"evil@x.example, " <a@b.example>',
    "group: a@b.example, evil@x.example;",
    "a@b.example\x00",
    "a@b.example\u2028evil@x.example",
    "a@b@x.example",
    "=?utf-8?q?evil=40x.example=2C?= a@b.example",
    "a@b.example\x1b[2J",
    "a@[b",
    "a@",
)
"""None of them is one e-mail address."""


def control_characters(text: str) -> list[str]:
    """The characters that a terminal or a line reader would act on; line ends are allowed."""
    return [repr(char) for char in text if not char.isprintable() and char != "\n"]
