"""The tour of the page: every button, every lesson, the keyboard alone, a phone, a browser without WebAssembly. `make
test-web`.

Pictures of the page are left in BUILD/logs/web-*.png, for the reader.
"""
import json
import os
import re
import signal
import subprocess
import time

import pytest

import browser
import test_web
from test_web import ABLE, node, page, site, text_digest             # noqa: F401: fixtures
from test_claims import told
from conftest import House, LAYOUTS, LOGS, house, layout, start      # noqa: F401: fixtures

pytestmark = [] if ABLE else test_web.pytestmark

PROMPT_SECONDS = 5


def text(page, selector):
    return page.js(f"document.querySelector({json.dumps(selector)}).textContent")


def pressed(page, selector):
    return page.js(f"document.querySelector({json.dumps(selector)}).getAttribute('aria-pressed')") == "true"


def prompt(page):
    page.wait("/(quire> |# )$/.test(quire.said().replace(/\\x1b\\[[0-9;]*[A-Za-z]/g, ''))")


def opened(page, words=""):
    page.open(page.url + words)
    prompt(page)
    page.wait("quire.drawn > 0")


def look(page, name):
    os.makedirs(LOGS, exist_ok=True)
    page.picture(os.path.join(LOGS, f"web-{name}.png"))


def edit(page, words):
    page.js(f"(() => {{ const t = document.querySelector('#text'); t.value = {words}; t.dispatchEvent(new "
            f"Event('input')); }})()")


def test_the_prompt_comes_soon(page):
    page.dress()
    page.open(page.url)
    prompt(page)
    milliseconds = page.js("performance.now()")
    print(f"from opening to the prompt: {milliseconds:.0f} ms")
    assert milliseconds < PROMPT_SECONDS * 1000 * max(1, os.getloadavg()[0] / os.cpu_count())


def test_claims_of_all_layouts_are_qemus(node, start, house, layout):
    said, _ = test_web.booted(node, layout, "run=claims;audit", "audit: clean")
    machine = start(kernel=house.kernel(layout), memory="32M")
    machine.prompt()
    assert told(said) == told(machine.command("claims", timeout=120))


def test_every_layout_is_read_checked_drawn_and_booted(page, house, tmp_path):
    page.dress()
    opened(page)
    for name in house.layouts:
        page.js(f"document.querySelector('#layout').value = '{name}'; "
                f"document.querySelector('#layout').dispatchEvent(new Event('change'))")
        page.wait(f"document.querySelector('#state').textContent === '{name}, console'")
        page.wait("document.querySelector('#verdict').textContent === 'good'")
        folder = f"{house.tree}/layouts/{name}"
        native = str(tmp_path / f"{name}.svg")
        assert test_web.command(house, folder, "show", "layout.md", "--svg", native) == (0, "")
        assert text_digest(page.js("quire.judged.picture")) == test_web.digest(native)
        assert name in text(page, "#read h1")
        page.wait(f"quire.snapshot.includes('layout {name} ')")


def test_the_drawn_map_adds_up_and_leads_to_rows(page):
    page.dress(1440, 1200)
    opened(page, "?mode=shell")
    page.wait("/Process 2: busybox/.test(document.querySelector('#map').textContent)")
    lines = page.js("quire.snapshot").splitlines()
    ram = next(int(line.split()[1]) for line in lines if line.startswith("ram "))
    assert sum(int(line.split()[2]) for line in lines if line.startswith("owned ")) == ram
    drawn = page.js("[...document.querySelectorAll('#map text')].map(each => each.textContent)")
    assert "equals all RAM: every frame has an owner" in drawn and str(ram) in drawn
    # Pointing tells, a click leads to the row; also for a row of the other table with the same name.
    for table, row in page.js("[...new Set([...document.querySelectorAll('#map .part')].filter(p => "
                              "p.dataset.row).map(p => "
                              "p.dataset.table + ' ' + p.dataset.row))].map(each => each.split(' '))"):
        page.js(f"document.querySelector('#map .part[data-table=\"{table}\"][data-row=\"{row}\"]').dispatchEvent(new "
                f"MouseEvent('click', {{bubbles: true}}))")
        assert f"row {row}" in text(page, "#about")
        cells = page.js("[...document.querySelectorAll('#read .shown td')].map(each => each.textContent)")
        header = page.js("[...document.querySelector('#read "
                         ".shown').closest('table').querySelectorAll('th')].map(each => each.textContent)")
        assert cells[header.index("Name")] == row and ("Use" in header) == (table == "physical")
    # Rights, owners and row of what is pointed at.
    for row, table, wanted in (("heap", "virtual", r"heap rw-, .*, row heap: .* rwx .* heap"),
                               ("user", "virtual", r"/bin/busybox, .*, row user: .* r-xp .*; user \d+, files \d+"),
                               ("image", "physical", r"image, .*, owner image, .*, row image: .* r-x text")):
        told = page.js(f"[...document.querySelectorAll('#map .part[data-table={table}][data-row={row}]')].map(part => "
                       "(part.dispatchEvent(new MouseEvent('mousemove', {bubbles: true})), "
                       "document.querySelector('#about').textContent))")
        assert any(re.match(wanted, words) for words in told), told
    for sheet in (1, 2, 3):
        page.click(f"[data-sheet='{sheet}']")
    # A drawing that is not live is not drawn anew.
    page.click("#live")
    assert not pressed(page, "#live")
    page.js("quire.type('sleep 30 & sleep 30 &\\r')")
    before = page.js("quire.drawn")
    page.js("new Promise(done => setTimeout(done, 2500))")
    assert page.js("quire.drawn") <= before + 1
    page.click("#live")
    page.wait("/Process \\d+: [^]*Process \\d+: /.test(document.querySelector('#map').textContent)")
    look(page, "memory")


def test_a_browser_reads_a_followed_svg_again(house, tmp_path):
    """The file of `quire map --follow --svg`, opened as a file: no page of ours, and no server."""
    path, chromium, read_at = tmp_path / "map.svg", browser.Browser(), set()
    words = [os.path.join(house.build, "host", "quire"), "map", "--follow", "--svg", str(path), "busybox", "sleep",
             "100"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, env={**os.environ, "QUIRE_BUILD": house.build}) as run:
        try:
            while run.poll() is None and not (path.exists() and path.read_text()):
                time.sleep(0.05)
            chromium.call("Page.navigate", url=f"file://{path}")
            while len(read_at) < 3 and run.poll() is None:
                try:
                    at, drawn = chromium.js("[performance.timeOrigin, document.documentElement.textContent]")
                except AssertionError:                  # it goes from one reading to the next at this moment
                    continue
                if "every frame has an owner" in drawn:
                    read_at.add(at)
            assert len(read_at) == 3 and chromium.errors == []
        finally:
            run.send_signal(signal.SIGINT)
            chromium.close()
    assert run.returncode == 128 + signal.SIGINT and "location.reload" not in path.read_text()


def test_a_document_is_edited(page):
    page.dress()
    opened(page)
    page.click("[data-view='edit']")
    assert pressed(page, "[data-view='edit']") and page.js("!document.querySelector('#edit').hidden")
    assert page.js("document.querySelector('#undo').disabled && document.querySelector('#boot-edited').disabled")
    edit(page, "t.value.replace('0xF0000000', '0xEF000000').replace('| rw-', '| rwx')")
    page.wait("/errors?$/.test(document.querySelector('#verdict').textContent)")
    line = int(text(page, "#complaints button").split(":")[0])
    assert page.js("document.querySelectorAll('#marks .bad').length") >= 1
    page.click("#complaints button")
    assert page.js("document.querySelector('#text').value.slice(0, "
                   "document.querySelector('#text').selectionStart).split('\\n').length") == line
    look(page, "edit")
    page.click("[data-view='read']")
    assert page.js("document.querySelectorAll('#read .wrong').length") >= 1
    page.click("[data-view='edit']")
    page.click("#undo")
    page.wait("document.querySelector('#verdict').textContent === 'good'")
    # A valid, changed document: the page says how to boot it, and it can be saved.
    edit(page, "t.value.replace('# quire:', '# mine:')")
    page.wait("!document.querySelector('#boot-edited').disabled")
    page.click("#boot-edited")
    assert "make LAYOUT=mine.md console" in text(page, "#how")
    assert page.js("fetch(document.querySelector('#how a').href).then(each => each.text())").startswith("# mine:")
    assert page.js("quire.judged.picture").count("mine") > 0


def test_nonsense_typed_into_the_editor_is_answered(page):
    page.dress()
    opened(page)
    page.click("[data-view='edit']")
    for words in ("''", "'| '.repeat(5000)", "'\\u0000'", "'# x\\n' + '|'.repeat(100000)", "t.value + t.value",
                  "'\\uD800'", "'x'.repeat(2000000)"):
        edit(page, words)
        page.wait("/error/.test(document.querySelector('#verdict').textContent)")
        assert text(page, "#complaints")
        page.click("#undo")
        page.wait("document.querySelector('#verdict').textContent === 'good'")


def test_claims_get_their_verdicts(page):
    page.dress(dark=True)
    opened(page, "?mode=shell")
    page.click("[data-view='claims']")
    assert "not looked at yet" in text(page, "#claims-rows")
    page.click("#look")
    page.wait("/12 hold/.test(document.querySelector('#claims-sum').textContent)")
    assert page.js("document.querySelectorAll('#claims-rows .holds').length") == 12
    look(page, "claims-dark")


def test_everything_there_is_to_try(page):
    page.dress()
    opened(page)
    for mode, end in (("console", "quire> "), ("shell", "# ")):
        page.click(f"[data-mode='{mode}']")
        page.wait(f"/, {mode}$/.test(document.querySelector('#state').textContent)")
        for n in range(page.js("document.querySelectorAll('#try button').length")):
            words = page.js(f"document.querySelectorAll('#try button')[{n}].textContent")
            page.js("quire.forget()")
            page.js(f"document.querySelectorAll('#try button')[{n}].click()")
            if words == "exit":
                page.wait("document.querySelector('#state').textContent === 'the machine has ended'")
                continue
            page.wait(f"quire.said().split('\\n').length > 1 && quire.said().replace(/\\x1b\\[[0-9;]*[A-Za-z]/g, "
                      f"'').endsWith({end!r})")
            assert not re.search(r"not found|unknown|expected|No such", page.js("quire.said()")), words
    page.js("quire.on('reset', () => { quire.at_reset = document.querySelector('#map').textContent; }), 0")
    page.click("#boot")
    page.wait("/^starting|^loading/.test(document.querySelector('#state').textContent)")
    page.wait("/, shell$/.test(document.querySelector('#state').textContent)")
    assert page.js("quire.at_reset") == "", "the picture of a machine that has gone"
    look(page, "shell")


@pytest.mark.parametrize("layout, answers", [
    ("movos", {"start ticker 2 &": "process 3, ticker: took", "processes": "3 +ticker", "kill 2": "gave back"}),
    ("firmware", {"apps": "recursion", "start recursion 5": "ended with status 0"}),
])
def test_what_there_is_to_try_under_one_layout(page, layout, answers):
    page.dress()
    opened(page, f"?layout={layout}")
    for n, (words, answer) in enumerate(answers.items()):
        button = f"document.querySelectorAll('#try button')[{n}]"
        assert page.js(f"{button}.textContent") == words
        page.js(f"quire.forget(), {button}.click()")
        page.wait(f"/{answer}/.test(quire.said())")


def test_changes_are_watched(page):
    page.dress()
    opened(page)
    page.click("#watch")
    page.wait("document.querySelector('#watch').getAttribute('aria-pressed') === 'true'")
    assert text(page, "#state") == "quire-checked, shell"
    page.js("quire.said_why = new Set(), quire.on('change', () => "
            "quire.said_why.add(document.querySelector('#why').textContent.split(':')[0]))")
    page.js("quire.type('true | true\\r')")
    wanted = ["Fork", "Copy-on-write", "A page fault"]
    for n in range(60):
        page.wait(f"quire.changes > {n}")
        now = page.js("quire.changes")
        page.js(f"document.querySelector('{'#next' if n % 2 else '#rest'}').click()")
        page.wait(f"quire.changes > {now}", 30)
        if text(page, "#why").startswith("Copy-on-write"):
            look(page, "copy-on-write")
        if page.js(f"{json.dumps(wanted)}.every(each => quire.said_why.has(each))"):
            break
    else:
        pytest.fail(f"seen: {page.js('[...quire.said_why]')}")
    # In a low window the map stays large enough to be read: what is above it can be scrolled away.
    page.dress(1366, 680)
    assert page.js("document.querySelector('#map').clientHeight") >= 190
    page.wait("(map => (map.scrollIntoView({block: 'nearest', behavior: 'instant'}), "
              "Math.floor(map.getBoundingClientRect().bottom) <= innerHeight))(document.querySelector('#map'))")
    look(page, "low")
    page.dress()
    before = page.js("quire.changes")
    page.click("#play")
    page.wait(f"quire.changes > {before} + 2")
    page.click("#play")
    assert page.js("document.querySelector('#events').childElementCount") > 3
    page.click("#watch")
    page.wait("document.querySelector('#watch').getAttribute('aria-pressed') === 'false'")
    page.js("quire.type('echo on $((40 + 2))\\r')")
    page.wait("/on 42/.test(quire.said())")


def test_every_lesson_is_seen(page):
    page.dress()
    opened(page)
    page.click("#lessons")
    lessons = set()
    while True:
        where = text(page, "#lesson-count")
        lessons.add(where.split(",")[0])
        page.click("#lesson-do")
        page.wait("/seen|expected/.test(document.querySelector('#lesson-mark').textContent)", 90)
        assert "seen" in text(page, "#lesson-mark"), where + page.js("quire.said()")[-500:]
        if page.js("document.querySelector('#lesson-next').disabled"):
            break
        page.click("#lesson-next")
    assert len(lessons) == 5
    look(page, "lesson")
    page.click("#lesson-back")
    assert "step 3 of 4" in text(page, "#lesson-count")
    page.click("#lesson-close")
    assert page.js("document.querySelector('#lesson').hidden")


def focus(page):
    return page.js("(e => e.id || e.dataset.view || `${e.className} "
                   "${[...document.querySelectorAll('*')].indexOf(e)}`)(document.activeElement)")


def test_the_keyboard_is_enough(page):
    """Every control is reached by Tab, in the order of the page; the terminal takes Tab, and gives the keyboard back on
    Ctrl-]."""
    page.dress()
    opened(page)
    page.js("document.activeElement.blur()")
    reached = []
    for _ in range(60):
        page.tab()
        where = focus(page)
        if "xterm-helper-textarea" in where:
            for letter in "help":
                page.key(letter, code=f"Key{letter.upper()}", number=ord(letter.upper()), text=letter)
            page.enter()
            page.wait("/invariant/.test(quire.said())")
            page.key("]", code="BracketRight", number=221, modifiers=2)
            assert focus(page) == "boot"
            page.js("document.querySelector('#try button').focus()")
        if where in reached and len(reached) > 10:
            break
        reached.append(where)
    assert {"layout", "lessons", "theme", "read", "edit", "claims", "boot", "live", "watch",
            "map"} <= set(reached), reached
    # On the map arrows walk, and Enter leads to the row.
    page.js("document.querySelector('#map').focus()")
    for _ in range(4):
        page.key("ArrowDown", number=40)
    assert "row image" in text(page, "#about")
    page.enter()
    assert "image" in text(page, "#read .shown")


def test_light_and_dark(page):
    page.dress(dark=True)
    opened(page)
    assert page.js("document.documentElement.dataset.theme") == "dark"
    look(page, "dark")
    page.click("#theme")
    assert page.js("document.documentElement.dataset.theme") == "light"
    look(page, "light")


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone(page, dark):
    page.dress(360, 780, dark=dark, phone=True)
    opened(page)
    shade = "dark" if dark else "light"
    for name in ("machine", "document", "memory"):
        page.click(f"#tab-{name}")
        page.wait(f"getComputedStyle(document.querySelector('#{name}')).display !== 'none'")
        assert page.js("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the phone"
        look(page, f"phone-{name}-{shade}")
    page.click("#tab-document")
    for view in ("edit", "claims"):
        page.click(f"[data-view='{view}']")
        assert page.js("document.documentElement.scrollWidth <= innerWidth"), f"{view} is wider than the phone"
        look(page, f"phone-{view}-{shade}")
    page.click("#lessons")
    assert page.js("document.documentElement.scrollWidth <= innerWidth")
    page.js("document.querySelector('#tab-machine').focus()")
    page.key("ArrowRight", number=39)
    assert focus(page) == "tab-memory"


def test_a_browser_without_webassembly_reads_documents(site):
    server, chromium = browser.Server(site), browser.Browser()
    try:
        chromium.call("Page.addScriptToEvaluateOnNewDocument", source="delete window.WebAssembly")
        chromium.dress()
        chromium.open(server.url)
        chromium.wait("!document.querySelector('#trouble').hidden && /no "
                      "WebAssembly/.test(document.querySelector('#trouble').textContent)")
        assert "quire" in text(chromium, "#read h1")
        chromium.click("[data-view='edit']")
        assert chromium.js("document.querySelector('#boot').disabled && document.querySelector('#lessons').disabled")
        look(chromium, "no-webassembly")
        assert chromium.errors == []
    finally:
        chromium.close()
        server.close()


def test_what_cannot_be_fetched_is_said(page):
    page.dress()
    opened(page)
    page.js("window.fetch = () => Promise.reject(new Error('the network has gone'))")
    page.js("document.querySelector('#layout').value = 'pat'; document.querySelector('#layout').dispatchEvent(new "
            "Event('change'))")
    page.wait("/network has gone/.test(document.querySelector('#trouble').textContent) && "
              "!document.querySelector('#trouble').hidden")
