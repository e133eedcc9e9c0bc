"""The same calls have the same results as under Linux.

`make fuzz-differ` asks both, with any seeds; here are tasks with recorded answers, and the tool itself.
"""
import os
import sys

import pytest

CALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "calls")
sys.path.insert(0, CALLS)
import differ
import oracle

pytestmark = pytest.mark.needs("calls-programs")
BUILD = os.path.abspath(os.environ.get("QUIRE_BUILD") or os.path.join(CALLS, "..", "..", "build"))
LINUX_TASKS = 40        # run under Linux itself, where it is installed


def recorded():
    with open(os.path.join(CALLS, "differ.expected")) as file:
        return dict(line.split() for line in file)


def wrong(answers, expected):
    return [word for word, digest in expected.items() if differ.digest(answers.get(word, ["nothing"])) != digest]


def test_calls_have_the_results_that_linux_gave(layout):
    """A task that is named here: `tests/calls/differ.py --tell TASK` shows what both print."""
    expected = recorded()
    assert len(expected) >= 100
    assert wrong(differ.Machines(BUILD, layout).quire(list(expected)), expected) == []


def test_linux_gives_what_was_recorded():
    expected = dict(list(recorded().items())[:LINUX_TASKS])
    try:
        assert wrong(differ.Machines(BUILD, "quire").linux(list(expected)), expected) == []
    except oracle.Unavailable as error:
        pytest.skip(f"Linux cannot be asked: {error}")


class TwoThatDiffer:
    """Machines that differ in operation 9 when operations 3 and 5 came before, and in 7 always."""

    def both(self, tasks):
        def differs(number, kept):
            return number == 7 or (number == 9 and {3, 5} <= set(kept))

        def lines(kept, ours):
            return [f"{number} {'known' if number == 7 else 'op'} = {int(ours and differs(number, kept))}"
                    for number in kept]

        return [(task, lines(task[1], False), lines(task[1], True)) for task in tasks]


@pytest.fixture
def comparison(tmp_path):
    path = tmp_path / "exceptions.txt"
    path.write_text("# a comment\nknown | = 0 | = 1 | it is known\nnever | = 0 | = 1 | nobody meets it\n")
    return differ.Comparison(TwoThatDiffer(), differ.Exceptions(path))


def test_what_lies_behind_an_exception_is_compared(comparison):
    comparison.run([1])
    assert [(task[0], linux, quire) for task, linux, quire in comparison.new] == [(1, "9 op = 0", "9 op = 1")]
    assert comparison.exceptions.unused() == ["never | = 0 | = 1 | nobody meets it"]


def test_a_difference_is_shrunk_to_the_shortest_sequence(comparison):
    comparison.run([1])
    assert comparison.shrink(*comparison.new[0]) == (1, (3, 5, 9))


def test_a_difference_in_a_child_is_the_childs():
    two = [f"1 fork {{read 1 = 0}} {{write = {result}}} = 4" for result in (5, 6)]
    assert differ.first_part(*two) == ("write = 5", "write = 6")


def test_an_exception_without_a_reason_is_refused(tmp_path):
    path = tmp_path / "exceptions.txt"
    path.write_text("flock | = 0 | = 1\n")
    with pytest.raises(SystemExit, match="reason"):
        differ.Exceptions(path)


def test_errors_have_names_and_words_of_tasks_are_short():
    assert differ.named("3 flock 1 2 = -22 <10 -1 5>") == "3 flock 1 2 = EINVAL <10 -1 5>"
    assert differ.word_of((5, (0, 1, 2, 7, 9, 10))) == "5:0-2,7,9-10"
    assert differ.task_of("5:0-2,7,9-10") == (5, (0, 1, 2, 7, 9, 10))
