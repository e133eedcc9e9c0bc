"""Claims: what a document promises, shown by the kernel that was built from it."""
import re


def rows(text):
    return re.findall(r"^\s*([A-Z]\d+)\s+(\w+)", text, re.M)


def documented(house, layout):
    """The rows of the document's table of claims: id -> where it is shown."""
    text = open(f"{house.tree}/layouts/{layout}.md").read().split("## Claims")[1]
    return dict(re.findall(r"^\|\s*([A-Z]\d+)\s*\|\s*(\w+)\s*\|", text, re.M))


def test_claims_hold(boot, house, layout):
    shown = dict(rows(boot().command("claims", timeout=60)))
    claims = documented(house, layout)
    assert set(shown) == set(claims)
    for claim, where in claims.items():
        if where == "kernel":
            assert shown[claim] == "holds", f"{claim}: {shown[claim]}"


def test_each_probe_can_fail(boot, house, layout):
    """A probe that cannot fail shows nothing: each is run once with what it looks at changed."""
    machine = boot()
    for claim, where in documented(house, layout).items():
        if where == "kernel":
            answer = machine.command("claims mutate " + claim, timeout=60)
            assert "fails" in answer, f"{claim}: {answer}"
    assert machine.command("audit").startswith("audit: clean")
