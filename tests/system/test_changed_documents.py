"""A document that is changed where a claim speaks still builds and boots; that claim's probe notices, and no other
does.

Probes have the claims' own numbers. If they took them from the document, a wrong document would agree with itself. The
changes are in tests/mutations/mutations.txt.
"""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "mutations"))
import mutations
from conftest import building

SEEDS = mutations.read_seeds()


def changed_documents(layout):
    return [entry for entry in mutations.read_table()
            if entry.is_document() and entry.shown is None and mutations.layout_of(entry, SEEDS) == layout]


@pytest.fixture
def shop(house, layout, tmp_path):
    house.kernel(layout)
    return mutations.Workshop(house.build, layout, tmp_path / "shop", building)


def test_a_changed_document_is_noticed_by_its_claim(shop, layout):
    entries = changed_documents(layout)
    assert entries, f"no changed document for {layout} in mutations.txt"
    wrong = [f"{entry}: {why}" for entry in entries for why in [mutations.judge(shop, entry)] if why is not None]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("layout", ["movos"])
def test_claims_about_a_window_that_is_not_there_fail_and_keep_no_kernel_from_being_linked(start, layout, shop):
    """The probes called functions that are linked only with the window."""
    shop.fresh()
    machine = start(kernel=shop.document(mutations.changed_text(layout, "layout.md", [
        mutations.Change("layout.md", "| 4 MiB | bookkeeping | rw- | --- | all | window |",
                         "| 4 MiB | tables | rw- | --- | process | tables |"),
        mutations.Change("layout.md", "| table access | window |", "| table access | self-map |")])))
    machine.prompt()
    said = machine.command("claims", timeout=60)
    assert set(re.findall(r"^claim M\d+ (.*)$", said, re.M)) == {"fails this kernel has no probe for it"}, said
    assert machine.command("audit").startswith("audit: clean")
