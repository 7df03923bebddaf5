"""The record of a cluster: what is written, what could be, and what a program makes of it."""

import json

import msgspec
import pytest

from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.cluster import (
    FORMAT,
    ClusterRecord,
    NodeRecord,
    Upgrade,
    check_schema,
    raised,
    read_cluster,
    read_node,
    upgrade_of,
)

CLUSTER = ClusterRecord(1, "id", 4, 3, 0, "key")


def node(name: str, schema: int, format_: int = 1) -> NodeRecord:
    return NodeRecord(name, f"0.{schema}", schema, 0, format_)


def test_what_all_nodes_know_can_be_written_unless_it_is_written_already() -> None:
    assert upgrade_of(CLUSTER, [node("a", 3), node("b", 3)]) is None
    assert upgrade_of(CLUSTER, []) is None
    assert upgrade_of(CLUSTER, [node("a", 4), node("b", 4)]) == Upgrade(1, 4, ())
    assert upgrade_of(CLUSTER, [node("a", 3, 2)]) == Upgrade(2, 3, ())


def test_a_node_that_knows_less_than_another_one_is_behind() -> None:
    a, b, c = node("a", 5), node("b", 4), node("c", 3)
    later_format = node("d", 5, 2)

    assert upgrade_of(CLUSTER, [a, b, c]) == Upgrade(1, 5, (b, c))
    assert upgrade_of(CLUSTER, [a, later_format]) == Upgrade(2, 5, (a,))
    assert upgrade_of(CLUSTER, [node("old", 2)]) is None, "nothing that it knows is to be raised"


def test_only_what_is_written_is_raised_in_a_record_of_which_more_is_known_elsewhere() -> None:
    fields = {**msgspec.to_builtins(CLUSTER), "owner": {"later": [1]}}

    after = json.loads(raised(json.dumps(fields).encode(), Upgrade(2, 4, ())))

    assert after == {**fields, "format": 2, "schema": 4}


def test_a_program_says_what_to_do_where_it_can_not_read_or_write_the_rows() -> None:
    check_schema(CLUSTER, 3, 3)
    check_schema(CLUSTER, 2, 5)
    with pytest.raises(ClusterUnusable, match="writes schema 3, and this program knows 2: use"):
        check_schema(CLUSTER, 1, 2)
    with pytest.raises(ClusterUnusable, match="knows 4 and later: start the version"):
        check_schema(CLUSTER, 4, 5)


def test_a_record_of_a_later_format_is_refused_as_that_whatever_else_is_in_it() -> None:
    later = json.dumps({"format": FORMAT + 1, "partitions": ["of another shape"]}).encode()

    with pytest.raises(ClusterUnusable, match=f"writes format {FORMAT + 1}, and this program"):
        read_cluster(later)
    with pytest.raises(ClusterUnusable, match="can't be read"):
        read_cluster(b'{"format": 1}')


def test_a_node_that_was_recorded_before_there_were_formats_knows_the_first() -> None:
    written = b'{"name": "a", "version": "0.2", "schema": 2, "joined_ms": 5}'

    assert read_node(written) == NodeRecord("a", "0.2", 2, 5, 1)
