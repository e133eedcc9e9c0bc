/*
 * lessons.js - five lessons, one for each of the design documents, on the running machine.
 *
 * A step says something and does something: boots a layout, types words, shows a row of the document. It is done when
 * what the machine then says holds `sees`.
 */
import { $, page } from "./page.js";

const LONGEST = 60000;

export const plan = [
    { title: "Who has a page gives it back", layout: "movos", mode: "console", steps: [
        { say: "The movos document lets the kernel lie one megabyte up and starts every program at 0x40000000. Of a " +
            "process it says: who takes a page, returns it. Start two small programs that are built into the kernel.",
          type: "start ticker 2 &", sees: /process 3, ticker: took \d+ frames/ },
        { say: "Each line told how many frames its process took: a structure, a page directory, tables, its own " +
            "pages, a stack. Both run at the same address, each in a directory of its own.",
          type: "processes", sees: /3 +ticker .*0x40000000/, row: "user" },
        { say: "Now end one. The line says what came back, and by whom it was held.", type: "kill 2",
            sees: /gave back \d+ frames/ },
        { say: "Claim M7 is that nothing is left of a process. The kernel starts some, ends them, counts, and says " +
            "what it saw.", type: "claims", sees: /claim M7 holds/ },
    ] },
    { title: "Page tables that see themselves", layout: "higher-half", mode: "console", steps: [
        { say: "In higher-half the kernel lives at 3 GiB, and the last entry of the page directory leads to the " +
            "directory itself. Follow the way to the kernel's code first: two entries, the second one a page.",
          type: "entry 0xC0100000", sees: /level 1, entry +256/, row: "boot" },
        { say: "Now the very top. The directory's last entry is taken for a table, and its last entry again: the " +
            "directory shows as an ordinary page, at 0xFFFFF000.",
          type: "entry 0xFFFFF000", sees: /level 2, entry 1023/, row: "tables" },
        { say: "So all page tables of the current space are memory between 0xFFC00000 and the top: the entry of " +
            "address V is at 0xFFC00000 + 4 * (V / 4096). Claim A16 says that; the kernel compares.",
          type: "claims", sees: /claim A16 holds/ },
        { say: "What if somebody writes where the tables show? Break an invariant on purpose, and see it named.",
            type: "break S1", sees: /S1/ },
    ] },
    { title: "A bit for each page", layout: "pat", mode: "console", steps: [
        { say: "The pat document is about a page availability table: a bitmap, and two calls. See the memory map it " +
            "is made from: usable, reserved, and who had what when the pool opened.",
          type: "physical", sees: /RAM \d+ frames/, row: "memory", of: "physical" },
        { say: "Take two frames, then one more. The search goes on where the last one ended, and does not start " +
            "anew: claim K7.",
          type: "alloc 2; alloc 1", sees: /took 1 frame from \d+/ },
        { say: "Every frame has an owner, and the sums are all RAM. Yours are the ones called test.", type: "frames",
            sees: /equals all RAM/ },
        { say: "Its second idea: the kernel has a space to itself, in which every address is the physical one. K13 " +
            "to K23 look at it.", type: "claims", sees: /claim K17 holds/ },
    ] },
    { title: "Tables that grow and move", layout: "tracker", mode: "shell", steps: [
        { say: "The tracker document keeps each space's entries in a row, in one object, so that the entry of a " +
            "page is found by arithmetic. An object starts with two pages and grows. Here are those of the shell:",
          type: "grep objects /proc/quire/map", sees: /run [0-9a-f]+ .*objects/, row: "objects" },
        { say: "Three more processes are three more objects. Where one is in another's way, it moves: nothing but " +
            "its tracker and the directory know where it is.",
          type: "sleep 99 & sleep 99 & sleep 99 & jobs", sees: /\[3\]/ },
        { say: "Count them again. On the map they are in the kernel's sheet; a tracker of eight bytes remembers each.",
          type: "grep -c objects /proc/quire/map", sees: /(^|\n)\d+\r?\n/, row: "trackers" },
        { say: "When a process ends its object goes, and its addresses are room for others. Look at the map while " +
            "you do it.",
          type: "kill %1 %2 %3; jobs", sees: /Terminated|Done|\[1\]/ },
    ] },
    { title: "Rights to the letter", layout: "firmware", mode: "console", steps: [
        { say: "The firmware document has kernel and programs in one image, at the bottom of one address space, and " +
            "says of each region who may do what. These programs are part of the kernel's image:",
          type: "apps", sees: /recursion/, row: "text" },
        { say: "Start one. It calls itself, and its stack grows from one page on.", type: "start recursion 5",
            sees: /recursion\[\d+\] ended with status 0/ },
        { say: "This one writes to the kernel's variables. The page's row says ---, for programs; so it dies, and " +
            "alone.", type: "start wild", sees: /wild\[\d+\]/, row: "data" },
        { say: "G7 to G14 try each region in six ways: reading, writing, executing, by the kernel and by a program. " +
            "Where an i386 has no bit for a difference, they say differs.",
          type: "claims", sees: /claim G14 (holds|differs)/ },
    ] },
];

let lesson = 0, step = 0, busy = 0;

const now = () => plan[lesson].steps[step];

function show() {
    const { title, layout, steps } = plan[lesson];
    $("lesson-title").textContent = title;
    $("lesson-count").textContent =
        `lesson ${lesson + 1} of ${plan.length}, ${layout}, step ${step + 1} of ${steps.length}`;
    $("lesson-text").textContent = now().say;
    $("lesson-do").textContent = `Type ${now().type}`;
    $("lesson-mark").textContent = "";
    $("lesson-back").disabled = lesson === 0 && step === 0;
    $("lesson-next").disabled = lesson === plan.length - 1 && step === steps.length - 1;
}

async function seen(pattern, turn) {
    for (const began = Date.now(); Date.now() - began < LONGEST && turn === busy; ) {
        if (pattern.test(page.said().split("\n").slice(1).join("\n")))
            return true;
        await new Promise(done => setTimeout(done, 50));
    }
    return false;
}

async function perform() {
    const { layout, mode } = plan[lesson], what = now(), turn = ++busy;
    $("lesson-mark").textContent = "";
    page.show("machine");
    if (page.layout !== layout || page.mode !== mode) {
        $("lesson-mark").textContent = `starting ${layout}`;
        page.mode = mode;
        await page.choose(layout);
        $("lesson-mark").textContent = "";
    }
    await page.type(`${what.type}\r`);
    const good = await seen(what.sees, turn);
    if (turn !== busy)
        return;
    if (good && what.row)
        page.show_row(what.row, what.of ?? "virtual", true);
    $("lesson-mark").textContent = good ? "✓ seen" : "the machine did not say what was expected";
    page.tell("lesson", lesson, step, good);
}

function move(by) {
    busy++;
    step += by;
    if (step < 0)
        step = plan[--lesson].steps.length - 1;
    else if (step === plan[lesson].steps.length) {
        lesson++;
        step = 0;
    }
    show();
}

function open(yes) {
    $("lesson").hidden = !yes;
    $("lessons").setAttribute("aria-expanded", yes);
    if (yes)
        show();
}

export function lessons() {
    $("lessons").onclick = () => open($("lesson").hidden);
    $("lesson-close").onclick = () => { open(false); $("lessons").focus(); };
    $("lesson-do").onclick = () => perform().catch(error => { $("lesson-mark").textContent = error.message; });
    $("lesson-next").onclick = () => move(1);
    $("lesson-back").onclick = () => move(-1);
}
