"""Which partition a request names, where its path does not."""

import pytest
from aiohttp.test_utils import make_mocked_request

from hookbundle.engine.replication.names import PARTITIONS_MAX
from hookbundle.server.cluster.asked import Asked
from hookbundle.server.cluster.partitions.placing import PARTITION, at, of_header


@pytest.mark.parametrize("number", [0, 1, PARTITIONS_MAX - 1])
def test_what_one_node_names_another_one_reads(number: int) -> None:
    asked = at(number, Asked("GET", "/", ()))

    assert of_header(make_mocked_request("GET", "/", headers=dict(asked.headers))) == number


@pytest.mark.parametrize("written", ["", "x", "-1", "1_0", "\u0663", "10000"])
def test_what_names_none_is_nobody_s(written: str) -> None:
    assert of_header(make_mocked_request("GET", "/", headers={PARTITION: written})) == -1


def test_who_names_none_is_at_nobody_s() -> None:
    assert of_header(make_mocked_request("GET", "/")) == -1
