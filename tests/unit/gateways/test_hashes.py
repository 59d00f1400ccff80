"""Any body at all is read as hashes or refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import BadInput, BodyMalformed
from seawall.gateways.http.batches import parse
from seawall.gateways.http.examples import BATCH, HASHES
from seawall.gateways.http.hashes import KNOWN, wanted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KNOWN, "items", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(document: object) -> None:
    try:
        arrivals = wanted(parse(json.dumps(document).encode())).items
    except BadInput:
        return
    assert all(each.md5 or each.sha1 or each.sha256 or each.pdq for each in arrivals)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert isinstance(parse(body), dict)


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 1}}', b'{"a": Infinity}', b'{"a": -Infinity}']
)
def test_what_could_mean_two_things_is_refused(body: bytes) -> None:
    with pytest.raises(BodyMalformed):
        parse(body)


def test_the_examples_can_be_sent() -> None:
    (one,) = wanted(parse(json.dumps(HASHES).encode())).items
    assert one.pdq_quality == 100
    assert len(wanted(parse(json.dumps(BATCH).encode())).items) == 2
