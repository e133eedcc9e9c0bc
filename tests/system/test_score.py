"""tests/run: what it says of tests that ran, and of tests that did not."""
import importlib.machinery
import importlib.util
import types

import pytest


@pytest.fixture
def runner(house):
    loader = importlib.machinery.SourceFileLoader("runner", f"{house.tree}/tests/run")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("runner", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("lines, status, counts", [
    ("ok a\nok b\nskip c\n", 0, (2, 0, 1)), ("FAILED a\nok b\n", 1, (1, 1, 0)),
    ("ok a\n", 3, (1, 1, 0)),                           # pytest itself ended badly
    ("skip a\nskip b\n", 0, (0, 0, 2)), ("", 5, (0, 0, 0)),
])
def test_each_test_is_counted_once(runner, tmp_path, lines, status, counts):
    (tmp_path / "results").write_text(lines)
    assert runner.score(str(tmp_path), status) == counts


def test_what_is_skipped_is_listed_with_its_reason(runner):
    """As an emulator that is not installed."""
    options = types.SimpleNamespace(list=False, failed=False)
    [shown] = [word for word in runner.pytest_words(options, "build", "logs") if word.startswith("-r")]
    assert "s" in shown
    assert runner.why_nothing_ran(0, 2, ["bochs"]) == "every test that was chosen was skipped"
    assert "name: misspelt" in runner.why_nothing_ran(0, 0, ["misspelt"])
    assert runner.why_nothing_ran(1, 2, []) is None
