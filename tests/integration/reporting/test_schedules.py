"""Random schedules with faults: every decided case is filed exactly once, and none is lost.

`make bench-filing` plays a thousand; here are a few."""

from __future__ import annotations

from lxml import etree

from tests.integration.reporting.desk import SCHEMA, Desk
from tests.integration.reporting.schedules import Schedule, Tally

SCHEDULES = 40


def test_in_any_schedule_every_item_is_filed_exactly_once(desk: Desk) -> None:
    tally = Tally()
    schema = etree.XMLSchema(etree.parse(SCHEMA)) if SCHEMA.exists() else None
    for seed in range(SCHEDULES):
        Schedule(desk, tally, seed, schema).run()
    assert tally.wrong == []
    assert tally.filed_once == tally.decided > SCHEDULES
    assert tally.schema_valid == tally.reports_built > 0
    assert min(tally.deaths, tally.faults, tally.by_hand) > 5, "nothing was tried"
