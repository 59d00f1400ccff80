"""What is asked over HTTP is counted on the lists that it met."""

from __future__ import annotations

from sqlalchemy import func, select

from seawall.database.tables import HashList, ListDay
from seawall.records import EntryDraft
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.test_hashes import judged


def test_a_list_counts_what_met_it(api: Api) -> None:
    api.put_on_list(EntryDraft(1, md5=bytes.fromhex("ab" * 16)), "Counted test list")
    api.put_on_list(EntryDraft(1, md5=bytes.fromhex("cd" * 16)), "Other test list")
    judged(api, content_id="met-1", md5="ab" * 16)
    judged(api, content_id="met-2", md5="ab" * 16)
    judged(api, content_id="met-3", md5="00" * 16)
    api.hall.tally.flush()
    query = (
        select(HashList.name, func.sum(ListDay.matches))
        .join(ListDay, ListDay.list_id == HashList.id)
        .where(HashList.name.in_(["Counted test list", "Other test list"]))
        .group_by(HashList.name)
    )
    with api.hall.database.transaction() as session:
        assert {name: int(matches) for name, matches in session.execute(query)} == {
            "Counted test list": 2,
            "Other test list": 0,
        }
