"""Random programs of memory operations leave the same memory as under Linux, with pages sent out between steps as well.

`make traces` asks both, with any seeds; here are traces with recorded answers, and the tool itself.
"""
import os
import sys

import pytest

CALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "calls")
sys.path.insert(0, CALLS)
import differ
import oracle
import traces

pytestmark = pytest.mark.needs("calls-programs")
BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(CALLS, "..", "..", "build"))


def recorded():
    with open(os.path.join(CALLS, "traces.expected")) as file:
        return dict(line.split() for line in file)


def wrong(answers, expected):
    """By trace, the first step that is not as recorded, with all before it."""
    found = {word: traces.first_wrong(answers.get(word, ["nothing"]), steps) for word, steps in expected.items()}
    return {word: step for word, step in found.items() if step is not None}


def answers_of(machines, words, way):
    """By trace its steps, or how the machine ended."""
    try:
        return machines.quire(words, way)
    except SystemExit as end:
        return {word: [str(end)] for word in words}


@pytest.mark.parametrize("way", ["in", "out", "device"])
def test_memory_is_as_linux_left_it(layout, way):
    """A trace that is named here: `tests/calls/traces.py --tell TRACE` shows what both tell. All but `in` send pages
    out between steps, and pages of every kind go."""
    expected, machines = recorded(), traces.Machines(BUILD, layout)
    assert len(expected) >= 20
    assert wrong(machines.quire(list(expected), way), expected) == {}
    sent = {place: machines.sent[way, place] for place in traces.Sent._fields}
    if way != "in":
        assert min(sent["private"], sent["shared"]) > len(expected), sent
    assert (sent["device"] > len(expected)) == (way == "device"), sent


@pytest.mark.needs("kernel", "CHECKED=1")
def test_memory_is_as_linux_left_it_where_pages_go_at_any_time(layout):
    """Two of the traces, each layout its own; `make traces` has all."""
    expected = recorded()
    first    = sum(map(ord, layout)) % (len(expected) - 1)
    words    = dict(list(expected.items())[first:first + 2])
    assert wrong(answers_of(traces.Machines(BUILD, layout), list(words), "tortured"), words) == {}


def test_linux_leaves_memory_as_recorded():
    expected = recorded()
    try:
        assert wrong(traces.Machines(BUILD, "quire").linux(list(expected)), expected) == {}
    except oracle.Unavailable as error:
        pytest.skip(f"Linux cannot be asked: {error}")


LINES = ["3 map 3 32 m0+1 = m0", "3 shows m0=0", "3 maps m0-1 rw-p;", "4 join", "4 2> unmap m0+1 = 0",
         "4 2> shows m0=-11.1", "4 joined = status 0"]


def test_a_step_is_all_that_it_tells():
    assert traces.steps_of(LINES) == [
        "3 map 3 32 m0+1 = m0 | shows m0=0 | maps m0-1 rw-p;",
        "4 join | 2> unmap m0+1 = 0 | 2> shows m0=-11.1 | joined = status 0"]


def test_the_first_part_that_differs_is_told_behind_its_operation():
    assert traces.first_part("3 map = m0 | shows m0=0", "3 map = EINVAL") == ("map = m0", "map = EINVAL")
    assert traces.first_part("3 map = m0 | shows m0=0", "3 map = m0 | shows m0=1") == \
        ("map = m0 | shows m0=0", "map = m0 | shows m0=1")
    assert traces.first_part("4 join | 2> free = 0 | joined", "4 join | 2> free = 0 | 2> shows m1=0 | joined") == \
        ("2> free = 0 | joined", "2> free = 0 | 2> shows m1=0")
    assert traces.first_part("4 join | 2> free = 0", "4 join | 2> free = 0 | 2> shows m1=0") == \
        ("2> free = 0 | nothing", "2> free = 0 | 2> shows m1=0")


def test_a_child_is_left_out_by_its_fork():
    assert traces.cause_of("39 join at the end | 22> free = 0", "22> free = 0") == 22
    assert traces.cause_of("39 join at the end | 22>> free = 0", "22>> free = 0") == 22
    assert traces.cause_of("39 free = 0", "free = 0") == 39


def test_a_digest_names_the_first_step_that_is_wrong():
    steps = ["0 map", "1 fill", "2 free"]
    expected = traces.digests(steps)
    assert traces.first_wrong(steps, expected) is None
    assert traces.first_wrong(["0 map", "1 full", "2 free"], expected) == "1 full"
    assert traces.first_wrong(steps[:2], expected) == "the end"
    assert traces.first_wrong(steps + ["3 more"], expected) == "3 more"


def test_what_was_sent_out_is_no_step():
    assert traces.split_sent(["0 map", "sent 3 4 5 6", "sent 1 1 1 1"]) == (["0 map"], traces.Sent(4, 5, 6, 7))
    assert traces.split_sent(["0 map"]) == (["0 map"], traces.Sent(0, 0, 0, 0))


class Asked(traces.Machines):
    """Linux tells `0 map`; so does Quire, but not for each trace in each way."""

    def __init__(self):
        super().__init__("build", "quire")

    def linux(self, words):
        return {word: ["0 map"] for word in words}

    def quire(self, words, way="in"):
        return {word: [f"0 {way}" if word == "2:0" and way in ("out", "device") else "0 map"] for word in words}


def test_the_first_way_that_disagrees_is_told():
    answers = Asked().both([(1, (0,)), (2, (0,))])
    assert answers == [((1, (0,)), ["0 map"], ["0 map"]), ((2, (0,)), ["0 map"], ["0 out"])]


class TwoThatDiffer:
    """Step 7 is excepted wherever it differs, 4 always; 9 differs if 3 and 5 came before."""

    def both(self, tasks):
        def lines(kept, ours):
            return [f"{n} {'known' if n == 7 else 'odd' if n == 4 else 'op'} = 0 | shows m0="
                    f"{int(ours and (n in (4, 7) or (n == 9 and {3, 5} <= set(kept))))}" for n in kept]

        return [(task, lines(task[1], False), lines(task[1], True)) for task in tasks]


def test_a_difference_is_shrunk_past_those_that_are_known(tmp_path):
    path = tmp_path / "exceptions.txt"
    path.write_text("known | m0=0 | m0=1 | it is known\nodd | always | always | its effects show later\n")
    comparison = traces.Comparison(TwoThatDiffer(), traces.Exceptions(path))
    comparison.run([1])
    assert [(task[0], linux, quire) for task, linux, quire in comparison.new] == \
        [(1, "9 op = 0 | shows m0=0", "9 op = 0 | shows m0=1")]
    assert comparison.shrink(*comparison.new[0]) == (1, (3, 5, 9))


def test_every_exception_of_traces_has_a_reason():
    assert all(line.split(" | ")[3] for *_, line in traces.Exceptions().rules)
    assert differ.word_of(differ.task_of("5:0-2,7", traces.STEPS)) == "5:0-2,7"
