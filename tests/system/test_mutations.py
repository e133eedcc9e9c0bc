"""Claims that bite: for each of them mutations.txt has a change that makes it untrue. A few are made here, those with a
star; `make mutations` makes them all, and changed documents have a test of their own.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "mutations"))
import mutations
from conftest import LAYOUTS, building

TABLE, SEEDS = mutations.read_table(), mutations.read_seeds()


def of_layout(layout):
    return [entry for entry in TABLE if mutations.layout_of(entry, SEEDS) == layout]


def test_each_claim_has_a_mutation_that_it_alone_notices(house, layout):
    alone = {entry.ids[0] for entry in of_layout(layout) if len(entry.ids) == 1}
    assert set(house.claims(layout)) - alone == set()
    assert {claim for entry in of_layout(layout) for claim in entry.ids} <= set(house.claims(layout))


def test_the_table_speaks_of_lines_that_are_there(layout):
    for entry in of_layout(layout):
        for path in {change.path for change in entry.changes}:
            mutations.changed_text(layout, path, [change for change in entry.changes if change.path == path])


def test_a_changed_source_is_noticed_by_its_claim(house, layout, tmp_path):
    house.kernel(layout)
    shop = mutations.Workshop(house.build, layout, tmp_path / "shop", building)
    entries = [entry for entry in of_layout(layout) if entry.sample and not entry.is_document()]
    wrong = [f"{entry}: {why}" for entry in entries for why in [mutations.judge(shop, entry)] if why is not None]
    assert entries and not wrong, "\n".join(wrong)
