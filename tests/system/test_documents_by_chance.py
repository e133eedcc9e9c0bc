"""Documents changed by chance, from all that ship: an accepted one is obeyed, a refused one is refused for a reason.

tests/documents has the generator; `make documents N=1000` goes on where these twenty end.
"""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "documents"))
import by_hand
import changes
import documents
from conftest import building, ensure
from link import Stock
from obeyed import Expectation

SEED, COUNT = 95, 20           # of all six layouts, and of sixteen kinds of changes, ten that are accepted


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
    said = shop.boot((64, False), "init=/fill panic=exit", archive=True)[1]
    assert "/fill cannot be started: it is linked for addresses that this layout gives to no program" in said
    assert documents.check_program(shop, document, (64, False), "anywhere")


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


# ---- By hand -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", [name for name, (_, _, refused) in by_hand.DOCUMENTS.items()
                                  if refused not in (None, by_hand.LINKER)])
def test_a_document_by_hand_is_refused_in_these_words(shop, name):
    document, words = by_hand.document_of(name, documents.TREE)
    shop.write(document)
    status, said = shop.check()
    assert status == 1 and words in said, said
    documents.check_refusal(document, said)


@pytest.mark.parametrize("name", ["a_section_that_is_too_short", "a_heap_with_one_page_behind_the_image"])
def test_what_only_the_linker_knows_is_refused_with_the_row(shop, name):
    """A heap of a few pages was linked."""
    document, _ = by_hand.document_of(name, documents.TREE)
    shop.write(document)
    status, said = shop.link()
    lines = {int(line) for line in re.findall(r"\.md:(\d+): ", said)}
    assert status != 0 and lines & document.changed_lines(), said


@pytest.mark.parametrize("name", ["a_kernel_at_two_megabytes", "a_bitmap_right_behind_the_image", "words_in_capitals",
                                  "the_kernels_row_from_zero"])
def test_a_document_by_hand_is_obeyed(shop, name):
    """A bitmap in a row that `direct` shows behind the image was refused as not shown; rights in capitals as none."""
    document, _ = by_hand.document_of(name, documents.TREE)
    assert documents.judge(shop, document, [(64, False)]) == "booted"


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


def test_a_kernel_from_the_stock_is_the_one_that_make_links(house, shop, tmp_path):
    """The second document has another border, and all objects but its own two are the first one's. The third's kernel
    is elsewhere: what knows where it is, the stock compiles."""
    stock = Stock(documents.TREE, house.build)
    shop.stock = stock
    elsewhere, _ = by_hand.document_of("a_kernel_at_two_megabytes", documents.TREE)
    try:
        for border, from_stock in ((0xF7000000, False), (0xF6000000, True), (None, True)):
            document, known = documents.Document("quire", documents.TREE), len(stock.objects)
            if border is not None:
                document.named("heap").place(end=border)
                document.named("devices").place(start=border)
            shop.write(document if border is not None else elsewhere)
            assert shop.link()[0] == 0
            assert shop.kernel.startswith(shop.own) == from_stock
            assert (len(stock.objects) > known) == (border != 0xF6000000)
        made = os.path.join(shop.made, "kernel-0.elf")
        assert shop.make([made])[0] == 0
        for name, path in (("stock", shop.kernel), ("make", made)):
            subprocess.run(["objcopy", "-O", "binary", path, str(tmp_path / name)], check=True)
        assert (tmp_path / "stock").read_bytes() == (tmp_path / "make").read_bytes()
    finally:
        stock.close()


def test_page_tables_that_are_not_as_the_document_says_are_found(house, shop):
    shop.kernel = house.kernel("quire")
    document = documents.Document("quire", documents.TREE)
    documents.check_claims(shop, document, (64, False))
    assert shop.tables.count("\n") > 1000

    def wrong(name, title, text):
        other = documents.Document("quire", documents.TREE)
        other.named(name)[title] = text
        return " ".join(Expectation(other, shop.kernel).wrong(shop.tables, shop.tables, 63 << 20))

    assert wrong("heap", "Growth", "by 4 KiB") == ""
    assert "it can be written, but Kernel is r--" in wrong("low", "Kernel", "r--")
    assert "it should show 0x00001000" in wrong("low", "Backing", "physical 0x00001000")
    assert "nothing is ever mapped there" in wrong("heap", "Backing", "none")
    assert "heap has" in wrong("heap", "Growth", "by 4 KiB, at most 4 KiB")
    assert "lacks" in wrong("null", "Backing", "physical 0x00000000")
    physical = documents.Document("quire", documents.TREE)
    for row in physical.rows("Physical memory"):
        row["Use"] = "hardware" if row["Use"] == "pool" else row["Use"]
    assert "in a row with the use hardware" in " ".join(
        Expectation(physical, shop.kernel).wrong(shop.tables, shop.tables, 63 << 20))
