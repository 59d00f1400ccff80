"""What a start of the service leaves on record."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import select

from seawall import server
from seawall.database.sessions import Database
from seawall.database.tables import AuditEvent
from seawall.policy.load import load_policy
from seawall.runtime import Runtime
from seawall.settings import Settings


def test_a_weaker_policy_or_setting_is_on_record_when_it_begins_to_bind(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    weaker = tmp_path / "policy.toml"
    weaker.write_text(load_policy(settings).text + "\n# Another policy.\n")
    here = settings.model_copy(update={"database_url": SecretStr(database.url)})
    there = here.model_copy(update={"policy_file": weaker, "minimum_pdq_quality": 100})
    for each in (here, there):
        with Runtime(each) as runtime, runtime.database.transaction() as session:
            server.note_start(session, each, runtime.rooms.policy, runtime.master_key)
    with database.transaction() as session:
        starts = [
            event.details for event in session.scalars(select(AuditEvent).where(AuditEvent.act == "service.start"))
        ]
    assert [start["minimum_pdq_quality"] for start in starts] == [settings.minimum_pdq_quality, 100]
    assert starts[0]["policy"] != starts[1]["policy"]
