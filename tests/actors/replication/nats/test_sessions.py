"""Records of sessions on a real log server: there for all nodes, in memory, and no longer."""

from contextlib import suppress

import pytest

from hookbundle.actors.replication.nats import api
from hookbundle.actors.replication.nats.sessions import SessionBucket
from hookbundle.engine.errors import Overloaded
from hookbundle.engine.replication.names import Names
from hookbundle.tests.actors.replication.nats.parts import connection_to
from hookbundle.tests.log_servers.cluster import LogServers

LIFE_MS = 60_000


async def test_a_record_is_there_for_all_nodes_until_it_is_deleted(nats: LogServers) -> None:
    names = Names(nats.new_cluster())
    one, other = await connection_to(nats), await connection_to(nats)
    first = SessionBucket(one, names, nats.replicas, LIFE_MS)
    second = SessionBucket(other, names, nats.replicas, LIFE_MS)
    try:
        before = await second.get("of.1")
        await first.put("of.1", b"record")
        there = await second.get("of.1")
        await second.put("of.1", b"later")
        later = await first.get("of.1")
        await second.delete("of.1")
        gone = await first.get("of.1")
        info = await api.call(one, f"STREAM.INFO.KV_{names.sessions}")
    finally:
        await one.close()
        await other.close()

    assert (before, there, later, gone) == (None, b"record", b"later", None)
    assert info.state.last_seq == 3


async def test_a_record_is_renewed_as_long_as_it_is_what_was_read(nats: LogServers) -> None:
    connection = await connection_to(nats)
    bucket = SessionBucket(connection, Names(nats.new_cluster()), nats.replicas, LIFE_MS)
    try:
        await bucket.renew("of.1", b"none", b"new")
        none = await bucket.get("of.1")
        await bucket.put("of.1", b"read")
        await bucket.renew("of.1", b"read", b"seen")
        seen = await bucket.get("of.1")
        await bucket.renew("of.1", b"read", b"seen later")
        other = await bucket.get("of.1")
        await bucket.delete("of.1")
        await bucket.renew("of.1", b"seen", b"seen later")
        gone = await bucket.get("of.1")
    finally:
        await connection.close()

    assert (none, seen, other, gone) == (None, b"seen", b"seen", None)


async def test_lost_records_are_none_and_the_next_one_is_kept(nats: LogServers) -> None:
    names = Names(nats.new_cluster())
    connection = await connection_to(nats)
    bucket = SessionBucket(connection, names, nats.replicas, LIFE_MS)
    try:
        await bucket.put("of.1", b"record")
        await api.call(connection, f"STREAM.DELETE.KV_{names.sessions}")
        lost = await bucket.get("of.1")
        await bucket.put("of.1", b"again")
        again = await bucket.get("of.1")
    finally:
        await connection.close()

    assert (lost, again) == (None, b"again")


async def test_without_a_server_nobody_can_say(nats: LogServers) -> None:
    connection = await connection_to(nats)
    bucket = SessionBucket(connection, Names(nats.new_cluster()), nats.replicas, LIFE_MS)
    try:
        await bucket.put("of.1", b"record")
        nats.servers[0].stop()
        with pytest.raises(Overloaded):
            await bucket.get("of.1")
        with pytest.raises(Overloaded):
            await bucket.put("of.1", b"later")
    finally:
        with suppress(Exception):
            await connection.close()
