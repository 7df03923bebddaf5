"""What of a webhook URL is looked up, and what is sent."""

import pytest

from hookbundle.engine.delivery.addresses import url_faults
from hookbundle.engine.delivery.targets import sent_url, target_of
from hookbundle.engine.delivery.urls import secrets_of

AS_SET = [
    "/workflows/8f1/invoke?api-version=2016-10-01&sp=%2Ftriggers%2Fmanual%2Frun&sig=Ab3%2Bx%2Fy%3D",
    "/in?to=https%3A%2F%2Fcrm.example%2Fnotes&tag=a+b",
    "/in?x=1&x=2&empty=&flag",
    "/a/../b/./c//d",
    "/%2e%2e/%2D%7e?q=%zz&p=%",
    "/in?a='b'&c=\"d\"&e=<f>&g={h}|i^j`k",
    "/;v=1/a:b@c,d=e!$&'()*",
    "/in?a=b?c=d/../e",
    "/in?",
    "/",
]


@pytest.mark.parametrize("rest", AS_SET)
def test_path_and_query_are_sent_as_they_were_set(rest: str) -> None:
    url = f"https://hooks.shop.example:8443{rest}"

    target = target_of(url)

    assert url_faults(url) == ()
    assert (target.path, sent_url(url)) == (rest, url)
    assert (target.host, target.port, target.is_tls) == ("hooks.shop.example", 8443, True)


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path"),
    [
        ("http://a.example", "a.example", 80, "a.example", "/"),
        ("http://a.example?x=1", "a.example", 80, "a.example", "/?x=1"),
        ("HTTPS://A.Example/", "a.example", 443, "A.Example", "/"),
        ("https://a.example:443/", "a.example", 443, "a.example", "/"),
        ("http://a.example:443/", "a.example", 443, "a.example:443", "/"),
        ("http://a.example:0080/", "a.example", 80, "a.example", "/"),
        ("http://a.example./", "a.example.", 80, "a.example.", "/"),
        ("http://my_hook.example/", "my_hook.example", 80, "my_hook.example", "/"),
        ("http://[2001:DB8::1]:8080/", "2001:db8::1", 8080, "[2001:DB8::1]:8080", "/"),
        ("http://192.0.2.1/", "192.0.2.1", 80, "192.0.2.1", "/"),
        (
            "https://b\u00fccher.example/",
            "xn--bcher-kva.example",
            443,
            "xn--bcher-kva.example",
            "/",
        ),
        ("https://a.example/\u00e9?q=\u0645", "a.example", 443, "a.example", "/%C3%A9?q=%D9%85"),
        ("https://a.example/%E9\u00e9", "a.example", 443, "a.example", "/%E9%C3%A9"),
    ],
)
def test_one_reading_says_where_it_leads_and_what_is_sent(
    url: str, host: str, port: int, authority: str, path: str
) -> None:
    target = target_of(url)

    assert url_faults(url) == ()
    assert (target.host, target.port) == (host, port)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/\r\nX-Injected: 1",
        "http://a.example/a b",
        "http://a.example/\ta",
        "http://a.example\\@b.example/",
        "http://a.example/\\..\\b",
        "http://a.example/\x00",
        "http://a.example/\x7f",
        "http://a.example/\x85",
        "http://a.example/\u2028",
        "http://a.example/\u200b",
        "http://a.example/\ud800",
        "http://a.example\t/",
        "http://a.example /",
        "http://me@a.example/",
        "http://me:secret@a.example/",
        "http://a.example:80:81/",
        "http://a.example%2f@b.example/",
        "http://a%2eexample/",
        "http://a.example/#part",
        "http:///a.example/",
        "http:a.example/",
    ],
)
def test_what_two_readers_might_read_differently_is_refused_in_words(url: str) -> None:
    assert url_faults(url)
    assert sent_url(url) == url


def test_a_secret_is_hidden_also_as_it_was_sent() -> None:
    secrets = secrets_of("https://a.example/in?token=schl\u00fcssel-\u0645\u0646")

    assert "schl%C3%BCssel-%D9%85%D9%86" in secrets
    assert "schl\u00fcssel-\u0645\u0646" in secrets
