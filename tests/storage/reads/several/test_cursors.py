"""Cursors of several partitions, as texts and back."""

import pytest

from hookbundle.storage.reads.several.cursors import joined, parted

ONE, OTHER = "cur_00112233440000000000ff", "cur_aabbccddee000000000001"


def test_a_cursor_names_the_place_in_each_partition() -> None:
    cursor = joined({31: OTHER, 0: ONE})

    assert cursor.startswith("curs_")
    assert parted(cursor, 32) == {0: ONE, 31: OTHER}


def test_a_partition_of_which_nothing_was_told_is_left_out() -> None:
    assert parted(joined({0: ONE, 1: "oldest"}), 2) == {0: ONE}


def test_a_cursor_of_32_partitions_fits_into_a_header() -> None:
    place = f"cur_0011223344{10**9:012x}"

    assert len(joined(dict.fromkeys(range(32), place))) < 1_000
    assert len(joined(dict.fromkeys(range(256), place))) < 8_000


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "curs_",
        "curs_!",
        "curs_gQ",
        "curs_é",
        ONE,
        joined({7: ONE}),
        joined({0: ONE})[:-1],
        joined({0: ONE}) + "AAAA",
    ],
)
def test_what_is_no_cursor_of_this_cluster_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="partition"):
        parted(cursor, 4)
