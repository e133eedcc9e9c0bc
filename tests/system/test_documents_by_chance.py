"""Documents changed by chance, from all that ship: an accepted one is obeyed, a refused one is refused for a reason.

tests/documents has the generator; `make documents N=1000` goes on where these twenty end.
"""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "documents"))
import changes
import documents
from conftest import building, ensure

SEED, COUNT = 92, 20           # of all six layouts, and of nine kinds of changes, some that are accepted


@pytest.fixture
def shop(house):
    ensure("documents-program")
    worker = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "0")) or "0"
    return documents.Workshop(house.build, f"-test{worker}", building)


@pytest.mark.parametrize("number", range(COUNT))
def test_a_document_changed_by_chance_is_obeyed_or_refused(shop, number):
    document, machines = documents.document_of(SEED, number)
    try:
        documents.judge(shop, document, [machine for machine in machines if machine[0] <= 64][:2])
    except documents.Finding as finding:
        pytest.fail(f"{finding}\nchanges: {document.said()}", pytrace=False)


def test_probes_of_pat_fail_in_words_where_programs_are_elsewhere(shop):
    """Five of them mapped at 0x40000000, and the kernel stops when it maps outside user space."""
    document = documents.Document("pat", documents.TREE)
    user, end = document.named("user", ("Virtual memory",)), 0x10000000
    document.insert(user, user.as_hole("cut", end, user.end))
    user.place(end=end)
    changes.squeeze(document, document.rows("Kernel space"), user.start, end)
    document.policy("start address")["Choice"] = "0x00800000"
    assert documents.judge(shop, document, [(64, False)]) == "booted"


def test_a_program_that_is_linked_where_programs_are_not_is_told_so(shop):
    """A flat program got "error 1". A program that is linked for no address runs."""
    document = documents.Document("quire", documents.TREE)
    user = document.named("user")
    document.insert(user, user.as_hole("cut", user.start, 0x20000000), after=False)
    user.place(start=0x20000000)
    shop.write(document)
    assert shop.link()[0] == 0
    said = shop.boot(64 * 1024, False, "init=/fill panic=exit", archive=True)[1]
    assert "/fill cannot be started: it is linked for addresses that this layout gives to no program" in said
    assert documents.check_program(shop, 64, False, "anywhere")


def test_a_name_with_a_digit_in_it_is_no_word_that_the_build_knows(house, shop):
    """`applications1` was read as far as its digit, and linked the applications of firmware."""
    document = documents.Document("quire", documents.TREE)
    document.named("top")["Name"] = "applications1"
    shop.write(document)
    features = os.path.join(os.path.dirname(shop.kernel), "layout", "features")
    status, said = house.make(features, f"LAYOUT={shop.path}")
    assert status == 0, said
    words = open(features).read().split()
    assert "APPLICATIONS1_START" in words and "APPLICATIONS" not in words


# ---- The generator itself notices -----------------------------------------------------------------

def refused_for(said):
    document = documents.Document("quire", documents.TREE)
    heap = document.named("heap")
    heap["Growth"] = "by 64 KiB"
    line, = document.changed_lines()
    documents.check_refusal(document, said.replace("LINE", str(line)))


def test_a_refusal_for_a_line_that_was_not_changed_is_found():
    refused_for("mine.md:LINE: heap has a growth of by 64 KiB; expected `by 4 KiB`")
    refused_for("mine.md:3: something overlaps heap (line LINE)")
    with pytest.raises(documents.Finding):
        refused_for("mine.md:3: something is wrong")
    with pytest.raises(documents.Finding):
        refused_for("Segmentation fault")


def test_a_machine_that_stops_or_is_silent_is_found():
    documents.check_ending(1, "audit: clean", "the console")
    for status, said in ((1, "panic: out of memory"), (1, "assertion `x` failed"), (None, "Quire, layout x")):
        with pytest.raises(documents.Finding):
            documents.check_ending(status, said, "the console")


def test_changes_can_be_made_again_from_their_steps():
    document, _ = documents.document_of(SEED, 5)
    again = documents.Document(document.layout, documents.TREE)
    documents.replay(again, document.steps)
    assert again.text("x") == document.text("x") != documents.Document(document.layout, documents.TREE).text("x")
