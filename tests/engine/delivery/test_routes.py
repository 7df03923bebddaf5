"""No route to a host: its own trouble, unless two networks fail and nobody is reached."""

import pytest

from hookbundle.engine.delivery.outcomes import ErrorClass, NoResponse, Response, was_reached
from hookbundle.engine.delivery.routes import TOGETHER_MS, Routes, network_of

A, B = "192.0.2.7", "198.51.100.9"


def test_one_host_alone_is_its_own_trouble_however_often() -> None:
    routes = Routes()

    assert not any(routes.is_ours(A, at_ms) for at_ms in range(0, 10 * TOGETHER_MS, 5_000))


def test_hosts_of_two_networks_are_ours_while_nobody_is_reached() -> None:
    routes = Routes()

    assert [routes.is_ours(A, 0), routes.is_ours(B, 1), routes.is_ours(A, 2)] == [False, True, True]


@pytest.mark.parametrize(("later_ms", "ours"), [(TOGETHER_MS - 1, True), (TOGETHER_MS, False)])
def test_they_must_fail_within_five_minutes(later_ms: int, ours: bool) -> None:
    routes = Routes()
    routes.is_ours(A, 0)

    assert routes.is_ours(B, later_ms) is ours


@pytest.mark.parametrize(("later_ms", "ours"), [(TOGETHER_MS - 1, False), (TOGETHER_MS, True)])
def test_one_host_that_was_reached_within_five_minutes_shows_the_way_out(
    later_ms: int, ours: bool
) -> None:
    routes = Routes()
    routes.reached(0)
    routes.is_ours(A, later_ms - 1)

    assert routes.is_ours(B, later_ms) is ours


def test_many_hosts_of_one_network_are_one() -> None:
    by_address, by_name = Routes(), Routes()

    assert not any(by_address.is_ours(f"192.0.{n}.1", n) for n in range(100))
    assert not any(by_name.is_ours(f"h{n}.a.example", n) for n in range(100))


def test_of_many_networks_only_two_are_remembered() -> None:
    routes = Routes()
    for n in range(1, 200):
        routes.is_ours(f"10.{n}.0.1", n)

    assert len(routes._missed_ms) == 2


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.0.0/16"),
        ("[2606:2800:220:1::9]", "2606:2800::/32"),
        ("2606:2800:220:1::9", "2606:2800::/32"),
        ("fe80::1%eth0", "fe80::/32"),
        ("Hooks.Example.COM.", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.com.br", "example.com.br"),
        ("receiver", "receiver"),
        ("", ""),
    ],
)
def test_which_network_a_host_is_taken_to_be_of(host: str, network: str) -> None:
    assert network_of(host) == network


@pytest.mark.parametrize("error", list(ErrorClass))
def test_an_answer_a_refusal_a_reset_and_tls_show_that_a_host_was_reached(
    error: ErrorClass,
) -> None:
    shown = {"connect_refused", "reset", "tls", "protocol"}
    result = NoResponse(error=error, detail="", sent=False, duration_ms=1)
    answer = Response(status=500, headers=(), body=b"", truncated=False, duration_ms=1)

    assert was_reached(result) is (error in shown)
    assert was_reached(answer)
    assert was_reached(NoResponse(error=error, detail="", sent=True, duration_ms=1))
