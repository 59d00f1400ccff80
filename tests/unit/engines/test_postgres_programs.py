"""No secret of an address becomes an argument, which everybody on the machine may see."""

from __future__ import annotations

from pathlib import Path

import pytest

from seawall.engines.postgres_programs import dump, restore
from seawall.errors import ConfigurationError


def test_a_secret_that_only_arguments_could_hand_over_is_refused(tmp_path: Path) -> None:
    address = "postgresql://test@127.0.0.1:1/test?sslpassword=test-passphrase"
    for run in (
        lambda: dump(address, 180000, "test", tmp_path / "dump"),
        lambda: restore(address, 180000, tmp_path / "dump"),
    ):
        with pytest.raises(ConfigurationError, match="sslpassword") as caught:
            run()
        assert "test-passphrase" not in f"{caught.value.message} {caught.value.hint}"
