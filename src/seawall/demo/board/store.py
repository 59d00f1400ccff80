"""The board's own database (SQLite) and folder of pictures. Every change of state is one guarded statement, because
Seawall's answer, its webhooks and a second try may come at the same time and in any order."""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seawall.demo.board.content import Content, Post, State

SCHEMA = """
CREATE TABLE IF NOT EXISTS contents (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, filename TEXT NOT NULL, uploader_ip TEXT, state TEXT NOT NULL,
    media_type TEXT, answer TEXT, problem TEXT, asked INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, ask_again_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS contents_of_account ON contents (account, created_at);
CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY, content_id TEXT NOT NULL REFERENCES contents, account TEXT NOT NULL,
    created_at TEXT NOT NULL, UNIQUE (content_id, account));
CREATE TABLE IF NOT EXISTS restricted (account TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS decided (
    content_id TEXT NOT NULL, case_id TEXT NOT NULL, PRIMARY KEY (content_id, case_id));
CREATE TABLE IF NOT EXISTS webhooks (id TEXT PRIMARY KEY, type TEXT NOT NULL, received_at TEXT NOT NULL);
"""
VISIBLE = """
    SELECT posts.id, posts.content_id, posts.account, contents.account AS by, contents.filename,
        contents.media_type, posts.created_at
    FROM posts JOIN contents ON contents.id = posts.content_id
    WHERE contents.state = 'published'
        AND posts.account NOT IN (SELECT account FROM restricted)
        AND contents.account NOT IN (SELECT account FROM restricted)
"""
LONGEST_PAUSE_S = 60.0


class Store:
    """All that the board remembers, below one folder."""

    def __init__(self, folder: Path) -> None:
        self._pictures = folder / "pictures"
        self._pictures.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / "board.sqlite3"
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    # ------------------------------------------------------------------------------------------------ contents

    def add(self, account: str, filename: str, uploader_ip: str | None, picture: bytes, first_pause_s: float) -> str:
        """Keeps an upload, unpublished. Returns its content id."""
        content_id = uuid.uuid4().hex
        handle = os.open(self._pictures / content_id, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(picture)
        moment = datetime.now(UTC)
        again = moment + timedelta(seconds=first_pause_s)
        with self.change() as connection:
            connection.execute(
                "INSERT INTO contents (id, account, filename, uploader_ip, state, created_at, ask_again_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (content_id, account, filename, uploader_ip, State.WAITING, moment.isoformat(), again.isoformat()),
            )
            connection.execute(
                "INSERT INTO posts (content_id, account, created_at) VALUES (?, ?, ?)",
                (content_id, account, moment.isoformat()),
            )
        return content_id

    def content(self, content_id: str) -> Content | None:
        """One content, in whatever state."""
        with self._connection() as connection:
            row = connection.execute("SELECT * FROM contents WHERE id = ?", (content_id,)).fetchone()
        return None if row is None else _content(row)

    def contents_of(self, account: str) -> list[Content]:
        """All that an account uploaded, newest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT * FROM contents WHERE account = ? ORDER BY created_at DESC LIMIT 200", (account,)
            ).fetchall()
        return [_content(row) for row in rows]

    def picture(self, content_id: str) -> bytes | None:
        """The bytes of a content, if they are still kept."""
        try:
            return (self._pictures / content_id).read_bytes()
        except FileNotFoundError:
            return None

    def uploader_ip(self, content_id: str) -> str | None:
        """From where it was uploaded."""
        with self._connection() as connection:
            row = connection.execute("SELECT uploader_ip FROM contents WHERE id = ?", (content_id,)).fetchone()
        return None if row is None else row["uploader_ip"]

    def forget_picture(self, content_id: str) -> None:
        """Deletes the bytes."""
        with suppress(FileNotFoundError):
            (self._pictures / content_id).unlink()

    def record_answer(self, content_id: str, state: State, answer: dict[str, Any]) -> None:
        """Writes Seawall's answer down. What a webhook has said meanwhile about the state stays."""
        with self.change() as connection:
            connection.execute(
                "UPDATE contents SET answer = ?, media_type = ?, problem = NULL, asked = asked + 1,"
                " state = CASE state WHEN 'waiting' THEN ? ELSE state END WHERE id = ?",
                (json.dumps(answer), answer.get("media_type"), state, content_id),
            )

    def record_refusal(self, content_id: str, problem: str) -> None:
        """The upload is no picture that can be judged."""
        with self.change() as connection:
            connection.execute(
                "UPDATE contents SET state = 'refused', problem = ?, asked = asked + 1"
                " WHERE id = ? AND state = 'waiting'",
                (problem, content_id),
            )

    def record_silence(self, content_id: str, problem: str, pause_s: float) -> None:
        """Seawall did not answer: the picture goes on waiting, and is asked about again after a growing pause."""
        with self.change() as connection:
            row = connection.execute("SELECT asked FROM contents WHERE id = ?", (content_id,)).fetchone()
            pause = min(pause_s * 2 ** min(row["asked"], 10), LONGEST_PAUSE_S)
            again = datetime.now(UTC) + timedelta(seconds=pause)
            connection.execute(
                "UPDATE contents SET problem = ?, asked = asked + 1, ask_again_at = ? WHERE id = ?",
                (problem, again.isoformat(), content_id),
            )

    def due(self) -> list[str]:
        """Waiting contents whose pause is over, oldest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id FROM contents WHERE state = 'waiting' AND ask_again_at <= ? ORDER BY created_at LIMIT 50",
                (datetime.now(UTC).isoformat(),),
            ).fetchall()
        return [row["id"] for row in rows]

    # -------------------------------------------------------------------------------------------------- posts

    def feed(self, limit: int = 120) -> list[Post]:
        """What everybody sees, newest first."""
        with self._connection() as connection:
            rows = connection.execute(f"{VISIBLE} ORDER BY posts.id DESC LIMIT ?", (limit,)).fetchall()
        return [_post(row) for row in rows]

    def post(self, post_id: int) -> Post | None:
        """One visible post."""
        with self._connection() as connection:
            row = connection.execute(f"{VISIBLE} AND posts.id = ?", (post_id,)).fetchone()
        return None if row is None else _post(row)

    def post_showing(self, content_id: str) -> Post | None:
        """The oldest visible post of a content: None means that nobody may see it."""
        with self._connection() as connection:
            row = connection.execute(
                f"{VISIBLE} AND posts.content_id = ? ORDER BY posts.id LIMIT 1", (content_id,)
            ).fetchone()
        return None if row is None else _post(row)

    def share(self, content_id: str, account: str) -> None:
        """Posts a content once more, by another account; a second time changes nothing."""
        with self.change() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO posts (content_id, account, created_at)"
                " SELECT id, ?, ? FROM contents WHERE id = ? AND state = 'published'",
                (account, datetime.now(UTC).isoformat(), content_id),
            )

    def is_restricted(self, account: str) -> bool:
        """Whether the account may post."""
        with self._connection() as connection:
            found = connection.execute("SELECT 1 FROM restricted WHERE account = ?", (account,)).fetchone()
        return found is not None


def _content(row: sqlite3.Row) -> Content:
    return Content(
        id=row["id"],
        account=row["account"],
        filename=row["filename"],
        state=State(row["state"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        media_type=row["media_type"],
        answer=json.loads(row["answer"]) if row["answer"] else None,
        problem=row["problem"],
        asked=row["asked"],
    )


def _post(row: sqlite3.Row) -> Post:
    return Post(
        id=row["id"],
        content_id=row["content_id"],
        account=row["account"],
        by=row["by"],
        filename=row["filename"],
        media_type=row["media_type"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
