/*
 * memory.js - the pane of memory: the map, drawn anew every second by `quire map`'s own code; and changes of entries,
 * each of which a checked kernel waits at until it has been looked at.
 */
import { $, page } from "./page.js";
import { draw } from "./module.js";

const EVERY = 1000, PATIENCE = 4000, PLAY = 700, EVENTS = 200;
const FORK = ["2", "120", "190"];
const calls = { 1: "exit", 2: "fork", 3: "read", 4: "write", 5: "open", 7: "waitpid", 11: "execve", 45: "brk",
                54: "ioctl", 85: "readlink", 90: "mmap", 91: "munmap", 114: "wait4", 119: "sigreturn", 120: "clone",
                125: "mprotect", 183: "getcwd", 190: "vfork",
                192: "mmap2", 252: "exit_group" };

const advice = $("about").textContent;

let live = true, asked = 0, drawn_at = 0, picture = "", here = -1, watching = false, wanted = false, last = null,
    play = 0, module;

/* ---- The map ---- */

function ask() {
    const now = Date.now(), waits = asked && now - asked < PATIENCE;
    if (live && page.machine && !watching && !waits && now - drawn_at >= EVERY
        && document.visibilityState === "visible") {
        asked = now;
        page.machine.wish("m");
    }
}

const parts = () => [...$("map").querySelectorAll(".part")];

/* What is pointed at stays so, also in the next drawing. */
function take_snapshot(lines) {
    asked = 0;
    drawn_at = Date.now();
    const drawn = draw(module, lines);
    page.snapshot = lines;
    if (!drawn.good) {
        $("about").textContent = page.refused = drawn.said.trim();
        return;
    }
    if ($("about").textContent === page.refused)
        $("about").textContent = advice;
    page.drawn = (page.drawn ?? 0) + 1;
    if (drawn.picture !== picture) {
        picture = drawn.picture;
        $("map").innerHTML = picture;
        if (here >= 0)
            point(Math.min(here, parts().length - 1), false);
    }
    page.tell("map", lines);
}

/* Another machine: what was drawn is not its memory. */
function forget() {
    asked = 0;
    here = -1;
    picture = "";
    $("map").textContent = "";
    $("about").textContent = advice;
}

function point(n, scroll) {
    const all = parts();
    all.forEach((part, at) => part.classList.toggle("here", at === n));
    here = n;
    if (n < 0 || n >= all.length)
        return;
    const [name, ...rest] = all[n].querySelector("title").textContent.replace(/ +/g, " ").split(", ");
    const bold = document.createElement("b");
    bold.textContent = name;
    $("about").replaceChildren(bold, rest.length ? `, ${rest.join(", ")}` : "",
        all[n].dataset.row ? ". Enter or a click shows the row." : ".");
    if (scroll)
        all[n].scrollIntoView({ block: "nearest" });
}

function go_to_row() {
    const { row, table } = parts()[here]?.dataset ?? {};
    if (row && !page.show_row(row, table))
        $("about").textContent = `The document has no row ${row}.`;
}

function keys(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) {
        point(Math.max(0, Math.min(parts().length - 1, here + step)), true);
        event.preventDefault();
    } else if (event.key === "Enter") {
        go_to_row();
    }
}

function pointed(event) {
    const part = event.target.closest?.(".part");
    if (part)
        point(parts().indexOf(part), false);
    return part;
}

/* ---- Watching ---- */

const address = text => `0x${text.padStart(8, "0")}`;

const count_of = n => n > 1e6 ? "kept for good" : n === 1 ? "1 reference" : `${n} references`;

function show_entry(box, entry, other) {
    const letters = [...entry.rights].map(letter => `<b class="${letter === "-" ? "" : "yes"}">${letter}</b>`).join("");
    const fresh = (a, b) => a === b ? "" : ' class="new"';
    box.innerHTML = `<span${fresh(entry.kind, other.kind)}>${entry.kind}</span>` +
        (entry.kind === "present" ? `<span class="rights">${letters}</span>` : "") +
        (entry.frame === "-" ? "<br>no frame"
            : `<br><span${fresh(entry.frame, other.frame)}>frame ${address(entry.frame)}</span>` +
            `, ${count_of(entry.references)}`);
}

const writable = entry => entry.rights.includes("w");

/* One sentence for what a reader sees happen. */
export function why(change) {
    const { whose, before, after, cause, what } = change, forks = cause === "call" && FORK.includes(what);
    if (whose === "kernel")
        return "Kernel space: the kernel's own memory changes, for instance a stack or a block of its heap.";
    if (forks && whose === "own" && writable(before) && !writable(after) && before.frame === after.frame)
        return "Fork: the parent keeps its frame, and loses the right to write. Whoever writes first will fault, " +
            "and get a copy.";
    if (forks && whose === "other" && after.kind === "present")
        return "Fork: the child's entry is the parent's, frame and all. Nothing is copied; " +
            `${address(after.frame)} has one reference more.`;
    if (before.kind === "present" && after.kind === "present" && before.frame !== after.frame)
        return `Copy-on-write: others refer to ${address(before.frame)} as well, so the writer gets a frame of its ` +
            "own with the same bytes.";
    if (before.kind === "present" && after.kind === "present" && !writable(before) && writable(after))
        return "Nobody else refers to this frame any more: no copy is needed, the right to write is simply given back.";
    if (cause === "fault" && before.kind === "empty" && after.kind === "present")
        return after.references > 1 ? "A page fault: the page is a file's, or the frame of zeros, and is in memory " +
            "already. Its frame is shared, not copied."
                                    : "A page fault: nothing was there. The page gets a frame that is all zero, and " +
                                        "the program never notices.";
    if (after.kind === "empty")
        return "The page goes. Its frame loses a reference; after the last one it is free.";
    if (after.kind === "present" && before.kind !== "present")
        return "The page gets a frame.";
    return "The entry changes its rights or its state.";
}

function event_of({ process, name, cause, what }) {
    const who = `process ${process} (${name})`;
    if (cause === "fault")
        return `${who}: page fault at ${address(what)}`;
    return cause === "call" ? `${who}: ${calls[what] ?? `system call ${what}`}` : "the kernel";
}

const owner_of = change => ({ own: "its own page", other: "another space's page",
    kernel: "kernel space's page" })[change.whose];

function log(change) {
    const item = document.createElement("li");
    const short = entry => `${entry.kind} ${entry.rights}`;
    item.textContent =
        `${event_of(change)}: ${address(change.page)} ${short(change.before)} → ${short(change.after)}`;
    $("events").prepend(item);
    while ($("events").childElementCount > EVENTS)
        $("events").lastElementChild.remove();
}

function take_change(change) {
    last = change;
    $("event").textContent = `${event_of(change)}, ${owner_of(change)} ${address(change.page)}`;
    show_entry($("before"), change.before, change.after);
    show_entry($("after"), change.after, change.before);
    $("why").textContent = why(change);
    log(change);
    page.changes = (page.changes ?? 0) + 1;
    if (play)
        play = setTimeout(() => go_on("n"), PLAY);
}

function go_on(letter) {
    if (watching)
        page.machine?.wish(letter);
}

function playing(on) {
    clearTimeout(play);
    play = on ? 1 : 0;
    $("play").setAttribute("aria-pressed", on);
    if (on)
        go_on("n");
}

function take_watching(yes) {
    watching = yes;
    $("watch").setAttribute("aria-pressed", yes);
    $("watching").hidden = !yes;
    $("about").hidden = yes;
    if (yes) {
        $("event").textContent = "The machine stops at the next change of an entry. Type something into it: each " +
            "key is a chance.";
        for (const id of ["before", "after", "events"])
            $(id).replaceChildren();
        $("why").textContent = "";
    }
}

/* Only a checked kernel can be stopped; the shell has most to show. */
async function watch() {
    wanted = !wanted;
    if (!wanted) {
        playing(false);
        page.machine?.wish("q");
        return;
    }
    page.show("memory");
    if (!page.checked || page.mode !== "shell") {
        $("about").textContent = "Starting a checked kernel, with a shell: only such a kernel stops at changes.";
        if (!await page.boot({ checked: true, mode: "shell" }))
            return;
    }
    wanted = true;
    page.machine.wish("w");
}

export function memory_pane() {
    page.module("map").then(loaded => { module = loaded; setInterval(ask, EVERY / 4); });
    page.on("snapshot", take_snapshot);
    page.on("reset", () => { forget(); wanted = false; playing(false); take_watching(false); });
    page.on("watching", take_watching);
    page.on("change", take_change);
    $("map").onmousemove = pointed;
    $("map").onclick = event => { if (pointed(event)) go_to_row(); };
    $("map").onkeydown = keys;
    $("live").onclick = () => { live = !live; $("live").setAttribute("aria-pressed", live); };
    $("watch").onclick = watch;
    $("next").onclick = () => go_on("n");
    $("rest").onclick = () => go_on("e");
    $("play").onclick = () => playing(!play);
    for (const button of document.querySelectorAll("[data-sheet]"))
        button.onclick = () =>
            $("map").querySelector(`#sheet-${button.dataset.sheet}`)?.scrollIntoView({ block: "start" });
    page.watch = watch;
}
