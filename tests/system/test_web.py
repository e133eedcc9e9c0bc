"""The page: its modules against the command, its machines against QEMU, and the page itself in a browser.

`tools/setup web` installs its packages beside those of the other tests; without them one line says so. The complete
tour, with every button, is tests/web/test_tour.py: `make test-web`.
"""
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import subprocess

import pytest

import browser
from drawn import draw, lying, true_lines         # noqa: F401: fixtures
from quire import SHELL
from test_claims import told

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.abspath(os.path.join(HERE, "..", ".."))
MISSING = subprocess.run(["sh", f"{TREE}/tools/setup", "--missing", "web"], capture_output=True,
                         text=True).stdout.split()
ABLE = not MISSING and shutil.which("node") and browser.COMMAND

pytestmark = [pytest.mark.needs("web")] if ABLE else \
    [pytest.mark.skip(reason=f"the page's tests want {' '.join(MISSING) or 'node and Chromium'}: tools/setup web")]

TO_PROMPT = 1_200_000           # bytes that a browser fetches before the first prompt, compressed
THOROUGH = ("quire", "firmware")        # layouts whose claims are checked here; the tour checks the others


@pytest.fixture
def site(house):
    return os.path.join(house.build, "web")


@pytest.fixture
def node(site):
    def run(*words, limit=200):
        done = subprocess.run(["node", f"{HERE}/web_node.mjs", site, *words], capture_output=True, text=True,
                              timeout=limit)
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
        return [json.loads(line) for line in done.stdout.split("\n") if line]
    return run


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def command(house, folder, *words):
    """`quire layout` in a folder, as a file's name is part of what it says; its exit status and words."""
    done = subprocess.run([os.path.join(house.build, "host", "quire"), "layout", *words], cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def text_digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


# ---- The compiler, compiled once more -------------------------------------------------------------

def test_a_good_document_has_the_same_picture_and_facts(house, node, layout, tmp_path):
    path = f"{house.tree}/layouts/{layout}/layout.md"
    [seen] = node("check", path)
    assert (seen["good"], seen["said"]) == (True, "")
    assert command(house, os.path.dirname(path), "show", "layout.md", "--svg", str(tmp_path / "native.svg")) == (0, "")
    assert seen["picture"] == digest(tmp_path / "native.svg")
    status, facts = command(house, os.path.dirname(path), "facts", "layout.md")
    assert (status, seen["facts"]) == (0, text_digest(facts))


def corrupted(text, chance):
    """As a writer corrupts a document: a number, a word or a row of one place put in another; a piece cut away or
    doubled."""
    lines = text.split("\n")
    at, other = chance.randrange(len(lines)), chance.choice([line for line in lines if line.startswith("|")])
    cells, others = lines[at].split("|"), other.split("|")
    how = chance.randrange(5)
    if how == 0:
        lines[at] = other
    elif how == 1:
        cells[chance.randrange(len(cells))] = chance.choice(others)
        lines[at] = "|".join(cells)
    elif how == 2:
        lines[at] = lines[at].translate({ord(chance.choice("0123456789F")): chance.choice("0123456789F|")})
    elif how == 3:
        del lines[at:at + chance.randrange(3)]
    else:
        end = chance.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:end] + chr(chance.choice([0x7F, 0xE9, 0x2028, 0x1F600, 9]))
    return "\n".join(lines)


def test_wrong_documents_get_the_same_words(house, node, tmp_path):
    """Also the corpus of the fuzzer, which may be any bytes."""
    chance, files = random.Random(13), []
    for n in range(60):
        text = open(f"{house.tree}/layouts/{house.layouts[n % len(house.layouts)]}/layout.md").read()
        for _ in range(chance.choice((1, 1, 2, 5))):
            text = corrupted(text, chance)
        files.append(tmp_path / f"corrupted-{n}.md")
        files[-1].write_text(text)
    corpus = os.path.join(house.build, "fuzz", "fuzz_layout.corpus")
    found = sorted(os.listdir(corpus)) if os.path.isdir(corpus) else []
    for n, name in enumerate(found[::max(1, len(found) // 40)]):
        files.append(tmp_path / f"found-{n}.md")
        shutil.copy(os.path.join(corpus, name), files[-1])
    files += [tmp_path / f"large-{n}.md" for n in range(3)]
    for file, text in zip(files[-3:], ("| " * 5000, "# x\n" + "|" * 100000, "x" * 1048576)):
        file.write_text(text)
    wrong = 0
    for file, seen in zip(files, node("check", *map(str, files))):
        status, said = command(house, tmp_path, "check", file.name)
        assert (seen["good"], seen["alive"]) == (status == 0, True), file
        assert seen["good"] or seen["said"] == said
        wrong += not seen["good"]
    assert wrong > len(files) // 2


def test_a_snapshot_is_drawn_as_by_the_command(node, lying, draw, tmp_path):
    lines = tmp_path / "snapshot"
    lines.write_bytes(true_lines())
    status, _, errors = lying(true_lines(), "--svg", str(tmp_path / "native.svg"))
    assert (status, errors) == (0, "")
    [seen] = node("draw", str(lines))
    assert (seen["good"], seen["picture"]) == (True, digest(tmp_path / "native.svg"))


def test_snapshots_that_make_no_sense_are_refused(node, tmp_path):
    good, files = true_lines(), []
    for n, text in enumerate([b"", b"\0", good[:-20], good.replace(b"ram ", b"ram -", 1), good[::-1],
                              os.urandom(5000)]):
        files.append(tmp_path / str(n))
        files[-1].write_bytes(text)
    folder = f"{TREE}/tests/fuzz/examples/fuzz_snapshot"
    examples = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    seen = node("draw", *map(str, files), *examples)
    assert all(each["alive"] for each in seen) and not any(each["good"] for each in seen[:len(files)])
    assert all("of the snapshot" in each["said"] for each in seen[:len(files)])


def test_a_second_line_may_say_anything(node):
    [seen] = node("nonsense")
    assert seen["snapshots"] == ["quire-map 1\nram 7\nend 2\n"]
    assert [change["name"] for change in seen["changes"]] == ["a name"] and seen["answers"][-1] is True


def test_rows_and_claims_are_found_in_the_text(house, node, layout):
    [seen] = node("rows", f"{house.tree}/layouts/{layout}/layout.md")
    facts, lines = house.facts(layout), open(f"{house.tree}/layouts/{layout}/layout.md").read().split("\n")
    names = {name.split(".")[0] for name in facts if name.endswith(".line") and name.count(".") == 1}
    assert names and names <= set(seen["rows"])
    for name, line in seen["rows"].items():
        assert re.search(rf"\| {name} +\|", lines[line - 1])
    assert seen["claims"] == list(house.claims(layout))
    assert seen["page"].count("<tr") == seen["page"].count("</tr>") > 20 and "| ---" not in seen["page"]


# ---- Its machines -------------------------------------------------------------------------------------

def booted(node, layout, words, end, mode="console"):
    [seen] = node("boot", layout, mode, words, end)
    return seen["said"].replace("\r", ""), seen


def test_a_machine_comes_to_its_prompt_and_its_claims_are_qemus(node, start, house, layout):
    words = "run=claims;audit" if layout in THOROUGH else "run=frames"
    said, seen = booted(node, layout, words, r"quire> $")
    assert re.match(rf"quire-map \d+\nlayout {layout} ", seen["snapshot"])
    if layout not in THOROUGH:
        assert "every frame has an owner" in said
        return
    assert "\naudit: clean" in said
    machine = start(kernel=house.kernel(layout), memory="32M")
    machine.prompt()
    assert told(said) == told(machine.command("claims", timeout=60))


def test_the_shell_runs(node, house):
    said, seen = booted(node, house.layouts[-1], "", SHELL, mode="shell")
    assert "BusyBox" in said and re.search(r"^process 2 1 1 \d+ \d+ busybox$", seen["snapshot"], re.M)


# ---- The page -------------------------------------------------------------------------------------------

@pytest.fixture
def page(site):
    server, chromium = browser.Server(site), browser.Browser()
    chromium.url = server.url
    try:
        yield chromium
        assert chromium.errors == []
        assert chromium.js("quire.refused ?? ''") == "", "a snapshot of the machine was not drawn"
    finally:
        chromium.close()
        server.close()


def test_what_is_fetched_before_the_first_prompt_is_small(site):
    """Sizes as a server sends the files: it compresses those that are not compressed here."""
    names = [name for name in os.listdir(site) if name.endswith((".html", ".css", ".js", ".wasm.gz"))]
    names += ["documents/list", "documents/quire.md", "v86/libv86.mjs", "v86/v86.wasm.gz", "xterm/xterm.mjs",
              "xterm/xterm.css", "bios/seabios.gz", "bios/vgabios.gz",
              f"kernels/{sorted(os.listdir(site + '/kernels'))[0].removesuffix('-checked.gz')}.gz"]
    total = 0
    for name in names:
        with open(os.path.join(site, name.replace(".gz.gz", ".gz")), "rb") as file:
            data = file.read()
        total += len(data) if name.endswith(".gz") else len(gzip.compress(data, 9))
    assert total < TO_PROMPT


def test_nothing_is_fetched_from_elsewhere(site):
    for folder, _, names in os.walk(site):
        for name in names:
            if name.endswith((".html", ".css", ".js")) and "xterm" not in folder:
                text = open(os.path.join(folder, name)).read()
                assert not re.search(r"https?://", text), name


def test_a_reader_comes_and_corrupts_a_document(page, house):
    page.dress()
    page.open(page.url)
    page.wait("/quire> $/.test(quire.said())")
    page.wait("quire.drawn > 0")
    # The drawn map adds up, and leads to the document.
    drawn = page.js("document.querySelector('#map').textContent")
    assert "equals all RAM: every frame has an owner" in drawn
    page.js("document.querySelector('#map').focus()")
    page.key("ArrowDown", number=40)
    page.enter()
    assert page.js("document.querySelector('#read .shown').textContent")
    # An error under an edit, in the command's words at the command's line.
    page.click("[data-view=edit]")
    page.js("(() => { const t = document.querySelector('#text'); "
            "t.value = t.value.replace('| 636 KiB |', '| 637 KiB |'); "
            "t.dispatchEvent(new Event('input')); })()")
    page.wait("document.querySelector('#verdict').textContent === '1 error'")
    said = page.js("document.querySelector('#complaints').textContent")
    assert re.match(r"\d+: .*637 KiB", said), said
    page.click("#undo")
    page.wait("document.querySelector('#verdict').textContent === 'good'")
