"""What may be shown of a webhook's URL."""

import pytest

from hookbundle.engine.delivery.urls import (
    hidden,
    hidden_in_bytes,
    host_of,
    secrets_of,
    shown_url,
)

URL = "https://hooks.example/in?key=s3cret-value&v=1&u=a%2Fsecret%20b"


@pytest.mark.parametrize(
    ("url", "shown", "host"),
    [
        ("https://a.example:8443/in?key=1", "https://a.example:8443/in?...", "a.example"),
        ("https://hooks.example/in", "https://hooks.example/in", "hooks.example"),
        ("https://[2001:db8::1]:8443/?k", "https://[2001:db8::1]:8443/?...", "2001:db8::1"),
        ("https://user:word@a.example?k", "https://user:word@a.example?...", "a.example"),
        ("", "", ""),
    ],
)
def test_a_url_is_shown_without_its_query_and_in_mails_as_its_host(
    url: str, shown: str, host: str
) -> None:
    assert (shown_url(url), host_of(url)) == (shown, host)


@pytest.mark.parametrize(
    "repeated",
    [
        "Moved to /elsewhere?key=s3cret-value&v=1&u=a%2Fsecret%20b.",
        "Moved to /elsewhere?key=s3cret-value&amp;v=1&amp;u=a%2Fsecret%20b.",
        "no such key: s3cret-value",
        "no such user: a/secret b",
    ],
)
def test_what_a_receiver_repeats_of_the_query_is_hidden(repeated: str) -> None:
    secrets = secrets_of(URL)

    for text in (hidden(repeated, secrets), hidden_in_bytes(repeated.encode(), secrets).decode()):
        assert "secret" not in text
        assert "s3cret" not in text
        assert "..." in text


def test_words_of_a_query_that_are_no_secrets_stay() -> None:
    text = "version 1 of the API answers in 1 ms"

    assert hidden(text, secrets_of(URL)) == text
    assert secrets_of("https://hooks.example/in") == ()
    assert secrets_of("https://hooks.example/in?") == ()
