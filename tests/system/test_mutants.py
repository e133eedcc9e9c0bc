"""The tool that changes lines (docs/mutants.md): its changes, the lines it leaves alone, and that a test notices."""
import fnmatch
import os
import subprocess
import sys

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(TREE, "tests", "mutants"))
import line_changes
import mutants
import reasons

SAMPLE = '''/* a < b, and 1 + 1 */
static int sum(int a, int b, struct link *found)
{
    const char *text = "a == 1";

    if (a < b && !found->dirty)
        note(text, a);
    for (int i = 0; i < b; i++)
        a += 2;
    found->dirty = true;
    if (a == b)
        return -ENOMEM;
    return found->start != NULL ? a - b : a * 4;
}
'''


def kinds(source):
    return sorted({(change.line, change.kind, change.before, change.after) for change in source.changes()})


def test_every_kind_of_change_is_made_and_comments_and_texts_are_left_alone():
    source = line_changes.Source("sample.c", SAMPLE)
    assert {change.kind for change in source.changes()} == set(line_changes.KINDS)
    assert kinds(source) == sorted([
        (6, "comparison", "<", "<="), (6, "comparison", "<", ">"),
        (6, "condition", "a < b && !found->dirty", "!(a < b && !found->dirty)"),
        (6, "condition", "a < b && !found->dirty", "0"), (6, "condition", "a < b && !found->dirty", "1"),
        (6, "logic", "&&", "||"), (6, "not", "!", ""), (6, "operand", "&& !found->dirty", ""),
        (6, "operand", "a < b &&", ""), (7, "arguments", "text, a", "a, text"),
        (7, "call", "note(text, a)", "(void)0"), (8, "comparison", "<", "<="), (8, "comparison", "<", ">"),
        (8, "condition", " i < b", " 0"), (8, "constant", "0", "1"), (8, "count", "++", "--"),
        (9, "constant", "2", "1"), (9, "constant", "2", "3"), (9, "count", " += ", " -= "),
        (9, "statement", "a += 2;", "(void)0;"), (10, "statement", "found->dirty = true;", "(void)0;"),
        (10, "truth", "true", "false"), (11, "comparison", "==", "!="), (11, "condition", "a == b", "!(a == b)"),
        (11, "condition", "a == b", "0"), (11, "condition", "a == b", "1"), (12, "error", "-ENOMEM", "ENOMEM"),
        (12, "error", "ENOMEM", "EINVAL"), (12, "return", "-ENOMEM", "!(-ENOMEM)"), (12, "return", "-ENOMEM", "0"),
        (13, "arithmetic", " * ", " / "), (13, "choice", " a - b : a * 4", " (a * 4) : (a - b)"),
        (13, "comparison", "!=", "=="), (13, "constant", "4", "3"), (13, "constant", "4", "5"),
        (13, "count", " - ", " + "), (13, "name", "start", "end"),
        (13, "return", "found->start != NULL ? a - b : a * 4", "!(found->start != NULL ? a - b : a * 4)"),
        (13, "return", "found->start != NULL ? a - b : a * 4", "0")])
    assert {change.function for change in source.changes()} == {"sum"}


def test_a_change_is_of_one_line_and_keeps_their_number():
    source = line_changes.Source("sample.c", SAMPLE)
    for change in source.changes():
        lines = source.changed(change).split("\n")
        assert len(lines) == len(source.lines)
        assert [number for number, (a, b) in enumerate(zip(lines, source.lines), 1) if a != b] == [change.line]


def test_what_means_nothing_is_about_files_that_are_there():
    """`make mutants` reports entries of `meaningless` that match no line, so that lines may change without them."""
    listed = reasons.Reasons(os.path.join(TREE, "tests/mutants/meaningless"), 5)
    unreached = reasons.Reasons(os.path.join(TREE, "tests/mutants/unreached"), 4)
    paths = [source.path for room in mutants.ROOMS for source in mutants.sources_of(TREE, room, "")]
    for entry in listed.entries + unreached.entries:
        assert any(fnmatch.fnmatch(path, entry[0]) for path in paths), entry


def test_a_changed_line_is_noticed_by_its_test(tmp_path):
    """The smallest source that has a test, and all its changes that compile, without the tool's machinery."""
    path = "kernel/process/load.c"
    with open(os.path.join(TREE, path)) as file:
        source = line_changes.Source(path, file.read())
    chosen = [change for change in source.changes() if change.kind in ("comparison", "count")][:4]
    assert len(chosen) == 4
    noticed = 0
    for change in [None, *chosen]:
        (tmp_path / "load.c").write_text(source.text if change is None else source.changed(change))
        made = subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-w", "-DCHECKED", "-Iarch/host", "-Ikernel",
                               "-I.", "-fno-pie", "-no-pie", "-o", str(tmp_path / "test"), "tests/host/test_load.c",
                               str(tmp_path / "load.c"), "-lcmocka"], cwd=TREE, capture_output=True, text=True,
                              timeout=60)
        assert made.returncode == 0, made.stderr
        failed = subprocess.run([str(tmp_path / "test")], capture_output=True, timeout=60).returncode != 0
        assert change is not None or not failed
        noticed += failed
    assert noticed >= 2
