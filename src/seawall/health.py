"""The checks behind `seawall doctor`: each looks at one part and says what it found."""

from __future__ import annotations

import ipaddress
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path

from sqlalchemy import func, select, text

from seawall.access.permissions import ALLOWED, Act
from seawall.actions import endpoints
from seawall.database.sessions import Database
from seawall.database.tables import Case, Evidence, HashList, OutboxMessage, Passkey, ProviderAccount, User, now
from seawall.decoding.pool import DecoderPool
from seawall.engines import jobs
from seawall.engines.compiled import use_cache
from seawall.engines.objects import open_objects
from seawall.errors import SeawallError
from seawall.evidence.vault import Vault
from seawall.gateways.fetching.places import ANY, places_of
from seawall.gateways.listening import UNIX
from seawall.hashlists import counts, quarantines
from seawall.matching.inspecting import FileSeen, file_in_use, look_at, others, swaps
from seawall.matching.keeper import BYTES_IN_MEMORY, memory_to_build
from seawall.matching.loading import newest_change
from seawall.opening import make_home, open_database, open_master_key
from seawall.policy.check import check
from seawall.policy.load import DEFAULT_ORIGIN, load_policy
from seawall.records import CaseState
from seawall.reporting import condition
from seawall.settings import Settings

OLD_LIST = timedelta(days=7)
OLD_MESSAGE = timedelta(minutes=15)
OLD_JOB = timedelta(minutes=15)
# Variables that commands and the examples read, and that are no settings.
OF_COMMANDS = frozenset({"SEAWALL_WEBHOOK_SECRET", "SEAWALL_URL", "SEAWALL_KEY"})


@dataclass(frozen=True, slots=True)
class PartState:
    """What one check found: ``state`` is ok, warn or fail; ``says`` what is there, or what to do."""

    part: str
    state: str
    says: str


Check = Iterator[PartState]


def examine_all(settings: Settings) -> Check:
    """Every check, in the order in which parts depend on each other. One that fails does not end the examination."""
    make_home(settings)
    use_cache(settings.cache_folder)
    yield from _guard("settings", lambda: _settings(settings))
    yield from _guard("home", lambda: _home(settings))
    yield from _guard("address", lambda: _address(settings))
    yield from _guard("fetching", lambda: _fetching(settings))
    yield from _guard("policy", lambda: _policy(settings))
    yield from _guard("decoders", lambda: _decoders(settings))
    yield from _guard("evidence store", lambda: _objects(settings))
    with ExitStack() as stack:
        try:
            database = open_database(settings)
        except SeawallError as error:
            yield PartState("database", "fail", f"{error.message} {error.hint}")
            return
        stack.callback(database.close)
        yield from _guard("database", lambda: _database(settings, database))
        yield from _guard("master key", lambda: _master_key(settings, database))
        yield from _guard("hash lists", lambda: _lists(database))
        yield from _guard("index", lambda: _index(settings, database))
        yield from _guard("webhooks", lambda: _webhooks(database))
        yield from _guard("people", lambda: _people(database))
        yield from _guard("cases", lambda: _cases(database))
        yield from _guard("reports", lambda: _reports(settings, database))


def _guard(part: str, check: Callable[[], Check]) -> Check:
    try:
        yield from check()
    except SeawallError as error:
        yield PartState(part, "fail", f"{error.message} {error.hint}")
    except OSError as error:
        yield PartState(part, "fail", f"{error}.")


def _settings(settings: Settings) -> Check:
    """A misspelt variable is no error, since a shell may hold others; but what was meant by it is not in force."""
    known = {f"SEAWALL_{name.upper()}" for name in Settings.model_fields} | OF_COMMANDS
    meant = sorted(name for name in os.environ if name.startswith("SEAWALL_") and name not in known)
    if settings.demo:
        yield PartState(
            "settings", "warn", "SEAWALL_DEMO is set: what no list knows is marked as a test. Never set it for real."
        )
    if meant:
        yield PartState("settings", "warn", f"No setting is called {', '.join(meant)}; it has no effect.")
    else:
        given = ", ".join(sorted(name for name in os.environ if name in known)) or "nothing"
        yield PartState("settings", "ok", f"From the environment: {given}; all else as it ships.")


def _home(settings: Settings) -> Check:
    yield PartState("home", "ok", str(settings.home))
    for name in ("keys", "objects", "cache"):
        folder = settings.home / name
        if folder.exists() and _others_can_enter(folder):
            yield PartState("home", "fail", f"{folder} can be entered by others; run `chmod 700 {folder}`.")


def _others_can_enter(folder: Path) -> bool:
    return bool(folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _address(settings: Settings) -> Check:
    if not _is_loopback(settings.host) and not settings.tls:
        yield PartState(
            "address",
            "warn",
            f"Listens on {settings.host} without TLS: put a TLS proxy before it and set SEAWALL_PUBLIC_URL to its "
            "https address.",
        )
    else:
        yield PartState("address", "ok", settings.public_url or f"http://{settings.host}:{settings.port}")
    yield from _door("clamd", settings.clamd_listen, settings.clamd_key)
    yield from _door("icap", settings.icap_listen, settings.icap_key)


def _door(name: str, where: str | None, key: str | None) -> Check:
    if where is None:
        return
    if where.startswith(UNIX) or _is_loopback(where.rpartition(":")[0].strip("[]")):
        yield PartState(name, "ok", f"answers at {where}, counted for the key {key}")
    else:
        says = f"Answers at {where}: whoever reaches that may ask, without a key and in the clear. Let nobody else."
        yield PartState(name, "warn", says)


def _fetching(settings: Settings) -> Check:
    places = places_of(settings)
    if not places.patterns:
        return
    within = settings.fetch_networks or "none"
    if any(pattern.name == ANY for pattern in places.patterns) and places.networks:
        says = f"Fetches from any host, also in {within}: whoever gives it an address reaches into these networks."
        yield PartState("fetching", "warn", f"{says} Name the hosts in SEAWALL_FETCH_FROM.")
    else:
        yield PartState("fetching", "ok", f"from {settings.fetch_from}; networks that are not public: {within}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _policy(settings: Settings) -> Check:
    policy = load_policy(settings)
    where = "as it ships" if policy.origin == DEFAULT_ORIGIN else policy.origin
    yield PartState("policy", "ok", f"version {policy.version}, {where}")
    for doubt in check(policy.text, policy.origin).warnings:
        yield PartState("policy", "warn", f"{doubt}.")


def _decoders(settings: Settings) -> Check:
    from PIL import Image

    picture = BytesIO()
    Image.linear_gradient("L").save(picture, "PNG")
    with DecoderPool(settings) as decoders:
        media = decoders.fingerprint(picture.getvalue())
        confinement = decoders.confinement
    given_up = ", ".join(confinement) or "nothing"
    yield PartState("decoders", "ok", f"{settings.decoder_processes} processes, a test {media.media_type} was read")
    yield PartState("decoders", "ok", f"what each gives up before it reads anything: {given_up}")
    missing = [wall for wall in ("seccomp", "landlock") if wall not in confinement]
    if missing:
        says = f"This system gives decoders no {' and no '.join(missing)}: who takes one over meets a wall less."
        yield PartState("decoders", "warn", says)
    try:
        yield PartState("decoders", "ok", f"av {version('av')}, so videos are read")
    except PackageNotFoundError:
        says = "Videos are held, not read: the extra `video` is not installed."
        yield PartState("decoders", "warn", says)
    if settings.keypoints_on(None):
        yield _keypoints(settings)
    for package in ("pillow", "simplejpeg", "numba"):
        try:
            yield PartState("decoders", "ok", f"{package} {version(package)}")
        except PackageNotFoundError:
            yield PartState("decoders", "fail", f"{package} is not installed; install Seawall anew.")


def _keypoints(settings: Settings) -> PartState:
    try:
        says = f"OpenCV {version('opencv-python-headless')}; keypoints are compared on: {settings.keypoint_surfaces}"
        return PartState("decoders", "ok", says)
    except PackageNotFoundError:
        says = "SEAWALL_KEYPOINT_SURFACES is set, but the extra `keypoints` is not installed: Seawall does not start."
        return PartState("decoders", "fail", says)


def _objects(settings: Settings) -> Check:
    objects = open_objects(settings)
    name, content = f"doctor/{secrets.token_hex(8)}", secrets.token_bytes(32)
    objects.put_new(name, content)
    same = objects.get(name) == content
    objects.delete(name)
    yield PartState(
        "evidence store",
        "ok" if same else "fail",
        settings.objects_url or str(settings.objects_folder)
        if same
        else "It gave back other bytes than it was given.",
    )


def _database(settings: Settings, database: Database) -> Check:
    with database.transaction() as session:
        server = session.scalar(text("SHOW server_version"))
        fsync = session.scalar(text("SHOW fsync"))
        waiting = jobs.overdue(session, OLD_JOB)
    kind = "embedded" if settings.database_url is None else "yours"
    yield PartState("database", "ok", f"PostgreSQL {server}, {kind}")
    if fsync != "on":
        yield PartState("database", "fail", "fsync is off: what was acknowledged can be lost. Turn it on.")
    if waiting:
        yield PartState("jobs", "warn", f"{waiting} jobs wait for over 15 minutes; is a worker running?")


def _master_key(settings: Settings, database: Database) -> Check:
    key = open_master_key(settings, database)
    with database.transaction() as session:
        Vault(open_objects(settings), key).check_master_key(session)
    where = "SEAWALL_MASTER_KEY" if settings.master_key is not None else str(settings.resolved_master_key_file)
    yield PartState("master key", "ok", f"{key.key_id}, from {where}. Keep a backup apart from the evidence.")
    with database.transaction() as session:
        sealed = session.scalar(select(func.count()).select_from(Evidence))
    yield PartState("evidence", "ok", f"{sealed} sealed")


def _lists(database: Database) -> Check:
    with database.transaction() as session:
        known = counts.of_all(session)
        lists = session.scalars(select(HashList).order_by(HashList.name)).all()
        noisy = quarantines.entries_standing(session)
    enabled = [(found, known[found.id].entries) for found in lists if found.enabled]
    if not enabled:
        yield PartState("hash lists", "warn", "No list is enabled, so nothing can match. See `seawall lists import`.")
    for found, count in enabled:
        old = now() - found.updated_at > OLD_LIST
        says = f"{found.name}: {count} entries, changed {found.updated_at:%Y-%m-%d}"
        yield PartState("hash lists", "warn" if old else "ok", says + ("; is there a newer one?" if old else ""))
    for found in lists:
        yield from _quarantined(found, noisy.get(found.name, 0))


def _quarantined(found: HashList, entries: int) -> Check:
    """What was found to be no match too often blocks nothing; somebody ought to look why."""
    advice = "Such matches hold and block nothing; see Hash lists in the console."
    if found.quarantined:
        says = f"{found.name}: the whole list is in quarantine, since too much of what it met was no match."
        yield PartState("hash lists", "warn", f"{says} {advice}")
    if entries:
        yield PartState("hash lists", "warn", f"{found.name}: {entries} entries are in quarantine. {advice}")


def _index(settings: Settings, database: Database) -> Check:
    """Reads all of every file, since only that says whether they are whole."""
    folder = settings.index_folder
    yield from _too_large_for_a_file(settings, database)
    if not folder.is_dir():
        yield PartState("index", "ok", "No files yet: the lists are small enough to be loaded from the database.")
        return
    wanted = "sealed" if settings.index_sealed else "plain"
    mode = stat.S_IMODE(folder.stat().st_mode)
    yield PartState("index", "ok", f"{folder} (mode {mode:04o}); files are to lie {wanted}")
    key = open_master_key(settings, database)
    in_use = file_in_use(folder, key)
    if in_use is not None:
        with database.transaction() as session:
            newest = newest_change(session)
        seen, behind = in_use.file, newest - in_use.generation
        made = timedelta(seconds=max(0, round(time.time() - seen.made_at)))
        yield PartState(
            "index",
            "ok",
            f"{seen.rows} entries, {_size(seen.size)}, made {made} ago at change {in_use.generation}; {behind} "
            "changes since, which are asked of the database",
        )
        yield from _how_it_lies(seen, settings.index_sealed)
    for path in others(folder):
        yield from _how_it_lies(look_at(path, key), settings.index_sealed)
    if settings.index_sealed and swaps():
        yield PartState(
            "index", "warn", "Memory is swapped to a disk here, opened index files too. Encrypt swap, or turn it off."
        )


def _too_large_for_a_file(settings: Settings, database: Database) -> Check:
    with database.transaction() as session:
        entries = sum(each.entries for each in counts.of_all(session).values())
    needed = memory_to_build(entries)
    if entries and needed > settings.index_memory_bytes:
        yield PartState(
            "index",
            "warn",
            f"{entries} entries cannot be built into a file within SEAWALL_INDEX_MEMORY_BYTES, so every process "
            f"holds what is in no file in its own memory: of all of them about {_size(entries * BYTES_IN_MEMORY)}. "
            f"Set it to {needed} or more.",
        )


def _how_it_lies(seen: FileSeen, to_be_sealed: bool) -> Check:
    name, folder = seen.path.name, seen.path.parent
    if _others_can_enter(folder):
        yield PartState("index", "fail", f"{folder} can be entered by others; run `chmod 700 {folder}`.")
    yield PartState("index", "ok", f"{name}: whole; reading and comparing all of it took {seen.compared_s:.1f} s")
    if seen.memory is not None:
        yield PartState(
            "index",
            "ok",
            f"{name}: sealed; opening it takes {seen.opened_s:.1f} s, and {_size(seen.memory)} of memory once for "
            "all processes of this home",
        )
    if (seen.memory is not None) is not to_be_sealed:
        lies = "sealed" if seen.memory is not None else "plain"
        yield PartState("index", "warn", f"{name} lies {lies}; start Seawall anew, then it is made as it should be.")


def _size(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"


def _webhooks(database: Database) -> Check:
    with database.transaction() as session:
        listening = [endpoint for endpoint in endpoints.list_endpoints(session) if endpoint.enabled]
        late = session.scalar(
            select(func.count())
            .select_from(OutboxMessage)
            .where(OutboxMessage.state == "pending", OutboxMessage.created_at < now() - OLD_MESSAGE)
        )
        failed = session.scalar(
            select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == "failed")
        )
    if not listening:
        yield PartState(
            "webhooks", "warn", "No endpoint: the platform does not learn of decisions. See `seawall webhooks add`."
        )
    else:
        yield PartState("webhooks", "ok", f"{len(listening)} endpoints")
    if late or failed:
        yield PartState(
            "webhooks", "warn", f"{late} messages wait for over 15 minutes, {failed} were given up; see the console."
        )


def _people(database: Database) -> Check:
    with database.transaction() as session:
        people = session.scalars(select(User).where(User.disabled_at.is_(None))).all()
        other_ways = {*session.scalars(select(Passkey.user_id)), *session.scalars(select(ProviderAccount.user_id))}
    ready = [person for person in people if person.password_hash is not None or person.id in other_ways]
    reviewers = [person for person in ready if not ALLOWED[Act.DECIDE].isdisjoint(person.roles)]
    if not reviewers:
        yield PartState("people", "warn", "Nobody can review: see `seawall users add NAME --role reviewer`.")
    else:
        yield PartState("people", "ok", f"{len(ready)} can log in, {len(reviewers)} of them review")


def _cases(database: Database) -> Check:
    with database.transaction() as session:
        waiting = session.scalar(select(func.count()).select_from(Case).where(Case.state != CaseState.DECIDED))
    yield PartState("cases", "ok", f"{waiting} wait for a decision")


def _reports(settings: Settings, database: Database) -> Check:
    for state, says in condition.examine(settings, database):
        yield PartState("reports", state, says)
