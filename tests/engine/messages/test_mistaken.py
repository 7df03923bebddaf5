"""A field that is given twice is named with its path."""

import pytest

from hookbundle.engine.messages.mistaken import given_twice


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a": 1, "a": 2}', "a"),
        (b'{"filter": {"any": [{"kind": "x"}, {"kind": "x", "kind": "x"}]}}', "filter.any[1].kind"),
        (b'[{"a": {"b": {"c": 1}, "b": 2}}]', "[0].a.b"),
        (b'{"a": {"b": 1, "b": 1}, "a": 2}', "a"),
    ],
)
def test_the_first_field_given_twice_is_named(body: bytes, path: str) -> None:
    found = given_twice(body)

    assert found is not None
    assert (found.path, found.code) == (path, "given_twice")


@pytest.mark.parametrize(
    "body", [b'{"a": {"b": 1}, "c": {"b": 1}}', b"[1, 1]", b'"a', b"[" * 9_000]
)
def test_nothing_is_named_where_nothing_is_given_twice(body: bytes) -> None:
    assert given_twice(body) is None
