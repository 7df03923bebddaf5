"""The table of what may be called."""

import pytest

from hookbundle.engine.delivery.addresses import AddressPolicy, url_faults
from hookbundle.engine.errors import ConfigError

REFUSED = """
0.0.0.0 unspecified | 0.255.255.255 unspecified | :: unspecified
127.0.0.1 loopback | 127.255.255.254 loopback | ::1 loopback | 0:0:0:0:0:0:0:1 loopback
10.0.0.0 private | 10.255.255.255 private | 172.16.0.1 private | 172.31.255.255 private
192.168.0.1 private | 192.168.255.255 private | fc00::1 private | fdff::1 private
fec0::1 private | feff::1 private
169.254.0.1 link_local | 169.254.255.255 link_local | fe80::1 link_local | febf::1 link_local
169.254.169.254 metadata | fd00:ec2::254 metadata | fd20:ce::254 metadata
168.63.129.16 metadata | 100.100.100.200 metadata | 192.0.0.192 metadata
100.64.0.1 carrier_nat | 100.127.255.255 carrier_nat
192.0.0.1 reserved | 192.0.0.255 reserved
192.0.2.1 documentation | 198.51.100.1 documentation | 203.0.113.255 documentation
2001:db8::1 documentation | 3fff::1 documentation | 3fff:fff:ffff::1 documentation
198.18.0.1 benchmarking | 198.19.255.255 benchmarking | 2001:2::1 benchmarking
224.0.0.1 multicast | 239.255.255.255 multicast | ff02::1 multicast | ff0e::1 multicast
255.255.255.255 broadcast | 240.0.0.1 reserved | 254.255.255.255 reserved
64:ff9b::7f00:1 nat64 | 64:ff9b::808:808 nat64 | 64:ff9b:1::a00:1 nat64
2002:7f00:1::1 6to4 | 2002:808:808::1 6to4 | 192.88.99.1 6to4
2001::1 teredo | 2001:0:808:808::1 teredo
::127.0.0.1 ipv4_compatible | ::8.8.8.8 ipv4_compatible
::ffff:127.0.0.1 loopback | ::ffff:7f00:1 loopback | ::ffff:10.0.0.1 private
::ffff:169.254.169.254 metadata | ::ffff:0.0.0.0 unspecified
0:0:0:0:0:ffff:c0a8:1 private | ::ffff:0:7f00:1 reserved
100::1 reserved | 100:0:0:1::1 reserved | 5f00::1 reserved | 2001:10::1 reserved
4000::1 reserved | 1::1 reserved | 200::1 reserved
fe80::1%eth0 zone | ::1%lo zone | 2606:4700::1111%1 zone
localhost not_an_address | 0x7f.1 not_an_address | 127.1 not_an_address
2130706433 not_an_address | 0177.0.0.1 not_an_address |  not_an_address
"""
PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0
198.17.255.255 198.20.0.0 223.255.255.255 2606:4700:4700::1111 2a00:1450::1 2001:4860:4860::8888
::ffff:8.8.8.8
"""
REFUSED_ROWS = [
    tuple(row.strip().rpartition(" ")[::2])
    for line in REFUSED.strip().splitlines()
    for row in line.split("|")
]


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(REFUSED_ROWS) >= 60


@pytest.mark.parametrize(("ip", "kind"), REFUSED_ROWS)
def test_an_address_that_is_not_public_is_refused_by_its_class(ip: str, kind: str) -> None:
    assert AddressPolicy().refusal(ip.strip()) == kind


@pytest.mark.parametrize("ip", PUBLIC.split())
def test_a_public_address_may_be_called(ip: str) -> None:
    assert AddressPolicy().refusal(ip) is None


@pytest.mark.parametrize(
    ("cidr", "ip"),
    [
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.0/8", "::ffff:127.0.0.1"),
        ("::ffff:10.1.0.0/112", "10.1.2.3"),
        ("::ffff:10.1.0.0/112", "::ffff:10.1.2.3"),
        (" 10.1.0.0/16 ", "10.1.255.255"),
        ("fd00::/8", "fd00::1"),
        ("64:ff9b::/96", "64:ff9b::808:808"),
    ],
)
def test_what_the_operator_allows_may_be_called(cidr: str, ip: str) -> None:
    assert AddressPolicy.parse([cidr]).refusal(ip) is None


@pytest.mark.parametrize(
    ("cidr", "ip"),
    [
        ("127.0.0.1/32", "127.0.0.2"),
        ("10.1.0.0/16", "10.2.0.0"),
        ("fe80::/10", "fe80::1%eth0"),
        ("::/0", "::ffff:127.0.0.1"),
        ("0.0.0.0/0", "::1"),
        ("127.0.0.0/8", "64:ff9b::7f00:1"),
    ],
)
def test_an_allowance_reaches_no_further_than_it_says(cidr: str, ip: str) -> None:
    assert AddressPolicy.parse([cidr]).refusal(ip) is not None


@pytest.mark.parametrize(
    ("entry", "url", "is_allowed"),
    [
        ("127.0.0.1:8480", "http://127.0.0.1:8480/in", True),
        ("127.0.0.1:8480", "http://127.0.0.1:8481/in", False),
        ("127.0.0.1:8480", "http://127.0.0.1/in", False),
        ("127.0.0.1:8480", "http://127.0.0.2:8480/in", False),
        ("127.0.0.1:80", "http://127.0.0.1/in", True),
        ("127.0.0.1:443", "https://127.0.0.1/in", True),
        ("127.0.0.1:443", "http://127.0.0.1/in", False),
        ("[::1]:8480", "http://[::1]:8480/in", True),
        ("[::1]:8480", "http://[::1]:84/in", False),
        ("[::ffff:127.0.0.1]:8480", "http://127.0.0.1:8480/in", True),
    ],
)
def test_an_address_with_a_port_allows_that_port_alone(
    entry: str, url: str, is_allowed: bool
) -> None:
    assert (url_faults(url, AddressPolicy.parse([entry])) == ()) is is_allowed


def test_an_allowed_receiver_is_known_by_its_port_alone() -> None:
    policy = AddressPolicy.parse(["10.0.0.0/8", "127.0.0.1:8480"])

    assert policy.refusal("127.0.0.1", 8480) is None
    assert policy.refusal("::ffff:127.0.0.1", 8480) is None
    assert policy.refusal("127.0.0.1", 8470) == "loopback"
    assert policy.refusal("127.0.0.1") == "loopback"
    assert policy.refusal("10.1.1.1", 1) is None


@pytest.mark.parametrize(
    "entry",
    ["127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:6379", "127.0.0:80", "::1:8480", "[::1]", "a:80"],
)
def test_a_receiver_that_is_none_is_a_config_error_that_quotes_it(entry: str) -> None:
    if entry == "::1:8480":  # is an address of its own, and no port
        assert AddressPolicy.parse([entry]).receivers == frozenset()
        return
    with pytest.raises(ConfigError, match=r"delivery\.allow_networks") as caught:
        AddressPolicy.parse([entry])

    assert repr(entry) in str(caught.value)


@pytest.mark.parametrize("cidr", ["", "localhost", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8,"])
def test_an_allowance_that_is_not_a_network_is_a_config_error_that_quotes_it(cidr: str) -> None:
    with pytest.raises(ConfigError, match=r"delivery\.allow_networks") as caught:
        AddressPolicy.parse(["192.168.0.0/16", cidr])

    assert repr(cidr) in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com/webhook.php",
        "HTTPS://Example.COM:8443/hook?key=a%20b&x=1",
        "https://hooks.zapier.com/hooks/catch/1/a/",
        "http://example.com.:80/",
        "http://crm_1.internal:9000/in",
        "http://1.2.3.4/",
        "http://[2606:4700::1111]:443/x",
        "https://b\u00fccher.example/\u00fc?q=\u0645\u0631\u062d\u0628\u0627",
        "https://xn--bcher-kva.example/",
        "https://example.com?x=//y@z:22",
        "https://example.com/" + "a" * 2028,
    ],
)
def test_a_good_url_has_no_faults(url: str) -> None:
    assert url_faults(url, AddressPolicy()) == ()


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "not a URL"),
        ("example.com/hook", "not a URL"),
        ("//example.com", "not a URL"),
        ("https:example.com", "not a URL"),
        ("javascript:alert(1)", "not a URL"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com/", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("unix:///run/x.sock", "scheme"),
        ("http+unix://%2Frun%2Fx.sock/", "scheme"),
        ("ws://example.com/", "scheme"),
        ("data://text/plain", "scheme"),
        ("https://", "no host"),
        ("https:///hook", "no host"),
        ("https://:443/", "no host"),
        ("https://?x", "no host"),
        ("https://user:pw@example.com/", "user name"),
        ("https://example.com@127.0.0.1/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://example.com/#top", "fragment"),
        ("https://example.com#@127.0.0.1", "fragment"),
        ("https://example.com/" + "a" * 2029, "2048"),
        (" https://example.com", "space"),
        ("https://example.com/\n", "invisible"),
        ("https://example.com/a\tb", "invisible"),
        ("https://exam\u200bple.com/", "invisible"),
        ("https://example.com/\u202e", "invisible"),
        ("https://example.com/\x00", "invisible"),
        ("https://example.com/\ud800", "invisible"),
        ("https://example.com\u00a0/", "invisible"),
        ("https://example.com\\@127.0.0.1/", "backslash"),
        ("https://example.com:/", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:443443443/", "port"),
        ("https://example.com:+443/", "port"),
        ("https://example.com:\u0664\u0664\u0663/", "port"),
        ("https://example.com:22/", "not HTTP"),
        ("https://example.com:25/", "not HTTP"),
        ("https://example.com:06379/", "not HTTP"),
        ("http://2130706433/", "IPv4"),
        ("http://0x7f000001/", "IPv4"),
        ("http://0x7f.1/", "IPv4"),
        ("http://0X7F.0.0.0X1/", "IPv4"),
        ("http://017700000001/", "IPv4"),
        ("http://0177.0.0.1/", "IPv4"),
        ("http://127.1/", "IPv4"),
        ("http://0/", "IPv4"),
        ("http://127.0.0.1./", "IPv4"),
        ("http://1.2.3.4.5/", "IPv4"),
        ("http://256.1.1.1/", "IPv4"),
        ("http://\uff11\uff12\uff17.0.0.1/", "IPv4"),
        ("http://\u2460\u2461\u2466.0.0.1/", "IPv4"),
        ("http://127\u30020\u30020\u30021/", "IPv4"),
        ("http://[::1/", "malformed host"),
        ("http://::1/", "no host"),
        ("http://[]/", "IPv6"),
        ("http://[127.0.0.1]/", "IPv6"),
        ("http://[v1.x]/", "IPv6"),
        ("http://[fe80::1%25eth0]/", "zone"),
        ("http://exam%70le.com/", "domain name"),
        ("http://a..b/", "domain name"),
        ("http://.a/", "domain name"),
        ("http://-a.com/", "domain name"),
        ("http://a,b/", "domain name"),
        ("http://" + "a" * 64 + ".com/", "domain name"),
        ("http://" + "a." * 130 + "com/", "domain name"),
        ("http://127.0.0.1/", "loopback"),
        ("http://169.254.169.254/latest/meta-data", "metadata"),
        ("http://[::ffff:10.0.0.1]/", "private"),
        ("http://[::1]:8080/", "loopback"),
    ],
)
def test_a_bad_url_is_told_what_is_wrong(url: str, word: str) -> None:
    faults = url_faults(url, AddressPolicy())

    assert any(word in fault for fault in faults), faults


def test_every_fault_of_a_url_is_named_at_once() -> None:
    assert len(url_faults("ftp://me@example.com:22/#x")) == 4


def test_without_a_policy_an_address_is_left_to_be_checked_at_the_call() -> None:
    assert url_faults("http://127.0.0.1:8080/hook") == ()
    assert url_faults("http://127.0.0.1/", AddressPolicy.parse(["127.0.0.0/8"])) == ()
