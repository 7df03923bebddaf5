"""What the bytes of a request are."""

from urllib.parse import parse_qsl

import pytest

from hookbundle.engine.sources import bodies

FORMS = [
    b"",
    b"&&",
    b"=",
    b"a",
    b"a=",
    b"=b",
    b"a=b=c&a=d",
    b"Body=Hi+there%21&From=whatsapp%3A%2B1",
    b"na%20me+x=%E2%98%BA&bad=%zz%&half=%E2%98",
    b"raw=\xff\xfe\xe2\x98\xba&plus=%2B+",
    b"semi;colon=1;2\n& x = y ",
]


@pytest.mark.parametrize("body", FORMS)
def test_a_form_is_read_as_the_standard_library_reads_it(body: bytes) -> None:
    text = body.decode("utf-8", "replace")

    assert bodies.form_fields(body) == parse_qsl(text, keep_blank_values=True)
