"""A package opens with its recipient's key alone, and is nothing but ciphertext on the way."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.errors import BadInput, EvidenceTampered
from seawall.reporting import package
from seawall.reporting.package import Member

AT = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)


def key() -> tuple[pyrage.x25519.Identity, str]:
    identity = pyrage.x25519.Identity.generate()
    return identity, str(identity.to_public())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=3000) | st.just(b"test " * 30_000), max_size=5), st.integers(1, 3))
def test_it_opens_with_each_recipients_key_to_what_was_put_in(files: list[bytes], recipients: int) -> None:
    keys = [key() for _ in range(recipients)]
    members = [Member(f"Media/{number}.bin", data, {"item": number}) for number, data in enumerate(files)]
    sink = io.BytesIO()
    written = package.write(sink, [public for _, public in keys], {"case": 7}, iter(members), AT)
    sealed = sink.getvalue()
    assert (written.sha256, written.size) == (hashlib.sha256(sealed).digest(), len(sealed))
    for identity, _ in keys:
        with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed, [identity]))) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == [*(member.path for member in members), package.MANIFEST]
            manifest = archive.read(package.MANIFEST)
            assert [archive.read(member.path) for member in members] == files
    assert hashlib.sha256(manifest).digest() == written.manifest_sha256
    told = json.loads(manifest)
    assert [each["sha256"] for each in told["files"]] == [hashlib.sha256(data).hexdigest() for data in files]
    assert [each["item"] for each in told["files"]] == list(range(len(files)))


def test_nobody_elses_key_opens_it() -> None:
    sink = io.BytesIO()
    package.write(sink, [key()[1]], {}, iter([Member("a", b"test bytes", {})]), AT)
    assert b"test bytes" not in sink.getvalue()
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sink.getvalue(), [key()[0]])


def test_what_goes_wrong_while_it_is_made_is_told_as_it_is() -> None:
    def breaks() -> Iterator[Member]:
        yield Member("a", b"test bytes" * 100_000, {})
        raise EvidenceTampered("Evidence 2 does not open.")

    identity, public = key()
    sink = io.BytesIO()
    with pytest.raises(EvidenceTampered, match="Evidence 2"):
        package.write(sink, [public], {}, breaks(), AT)
    with pytest.raises(pyrage.DecryptError):  # what is there is no package
        pyrage.decrypt(sink.getvalue(), [identity])


def test_recipients_are_public_keys_of_age() -> None:
    public = key()[1]
    assert package.checked_recipients([f" {public} ", public]) == [public]
    for wrong in ([], [public[:-1]], ["ssh-ed25519 AAAA"], [key()[1] for _ in range(6)], [str(key()[0])]):
        with pytest.raises(BadInput) as caught:
            package.checked_recipients(wrong)
        assert "SECRET" not in str(caught.value)
