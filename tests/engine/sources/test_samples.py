"""Each sample yields what is expected of it: messages byte for byte as they leave."""

import pytest

from hookbundle.tests.engine.sources import samples
from hookbundle.tests.engine.sources.samples import Sample

ALL = samples.all_samples()


@pytest.mark.parametrize("sample", ALL, ids=samples.names(ALL))
def test_a_body_yields_what_is_expected(sample: Sample) -> None:
    assert samples.yielded(sample) == samples.as_expected(sample.expected)
