"""What a person who starts the daemon by hand reads: where everything is, and what is not set."""

from pathlib import Path

from hookbundle.commands.configuration.loading import load
from hookbundle.commands.daemon.greeting import Places, greeting

DATA, SOCKET = Path("/data"), Path("/run/control.sock")


def greeted(tcp: tuple[str, int] | None = ("127.0.0.1", 8470), **settings: str) -> str:
    config = load({}, {f"HOOKBUNDLE_{name}": value for name, value in settings.items()}, [])
    return greeting(config, Places(DATA, SOCKET, tcp, ()))


def test_it_says_where_console_data_and_socket_are() -> None:
    lines = greeted().splitlines()

    assert "http://127.0.0.1:8470/ " in lines[1]
    assert lines[2].endswith("/data")
    assert lines[3].endswith("/run/control.sock")


def test_the_console_is_where_people_reach_it() -> None:
    assert "https://hooks.example " in greeted(CONSOLE__URL="https://hooks.example")
    assert "http://[::1]:8470/ " in greeted(("::1", 8470))
    assert "nowhere: listen is off" in greeted(None)


def test_what_is_not_set_is_named_with_what_it_means_and_how_to_set_it() -> None:
    bare = greeted()
    whole = greeted(
        SMTP__HOST="mail.example", CONSOLE__URL="https://x.example", PAYLOAD__PRODUCT_NAME="Inbox"
    )

    for name in ("smtp.host: ", "console.url: ", "payload.product_name: "):
        assert name in bare
        assert name not in whole
    assert "HOOKBUNDLE_SMTP__HOST" in bare
    assert "not set" not in whole


def test_no_character_of_a_setting_controls_the_terminal() -> None:
    config = load({}, {}, [])

    text = greeting(config, Places(Path("/da\x1b[2Jta"), SOCKET, None, (Path("/x\x07"),)))

    assert [c for c in text if not c.isprintable() and c != "\n"] == []


def test_a_node_says_which_one_it_is_and_how_it_stands() -> None:
    config = load({}, {"HOOKBUNDLE_CLUSTER__SERVERS": "tls://n1:4222,tls://n2:4222"}, [])
    said = (("node", "a of cluster c, with b"), ("owns", "3 of 8 partitions"))

    text = greeting(config, Places(DATA, SOCKET, None, (), said))

    for words in ("a of cluster c, with b", "3 of 8 partitions", "tls://n1:4222, tls://n2:4222"):
        assert words in text
    assert "hookbundle cluster status" in text
    assert "cluster" not in greeted()
