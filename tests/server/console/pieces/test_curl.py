"""A delivery as a command for curl: what it runs, and what it keeps to itself."""

import json
import shlex

from hookbundle.server.console.curl import BODY_CHARS_MAX, command

URL = "https://crm.example/hook?token=verysecret&deal=7"
HEADERS = [
    ("Content-Type", "application/json; charset=utf-8"),
    ("webhook-id", "dlv_1"),
    ("webhook-signature", "v1,c2lnbmF0dXJl"),
    ("Authorization", "Bearer verysecret"),
    ("X-Api-Key", "verysecret"),
]


def arguments(text: str) -> list[str]:
    return shlex.split(text.replace("\\\n", " "))


def test_it_posts_the_body_with_the_headers_that_say_nothing_secret() -> None:
    body = '{"text": "it\'s `here` $HOME \\"quoted\\" \\n"}'

    given = arguments(command("https://crm.example/hook", HEADERS, body))

    assert given[:4] == ["curl", "--request", "POST", "https://crm.example/hook"]
    assert given[4:] == [
        *("--header", "Content-Type: application/json; charset=utf-8"),
        *("--header", "webhook-id: dlv_1"),
        *("--data-binary", body),
    ]


def test_it_has_no_secret() -> None:
    text = command(URL, HEADERS, "{}")

    assert "verysecret" not in text
    assert "c2lnbmF0dXJl" not in text
    assert arguments(text)[3] == "https://crm.example/hook?..."


def test_what_would_turn_a_line_around_is_written_by_its_number() -> None:
    body = json.dumps({"text": "user\u202egnp.exe\u200b \x9b31m"}, ensure_ascii=False)

    text = command(URL, HEADERS, body)

    assert not {"\u202e", "\u200b", "\x9b"} & set(text)
    assert json.loads(arguments(text)[-1]) == json.loads(body)


def test_a_long_body_is_a_file_to_be_downloaded() -> None:
    text = command(URL, HEADERS, "x" * (BODY_CHARS_MAX + 1))

    assert arguments(text)[-2:] == ["--data-binary", "@body.json"]
