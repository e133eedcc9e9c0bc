/*
 * document.js - the pane of the document: read, edited, checked by the compiler itself, drawn; and its claims.
 */
import { $, page } from "./page.js";
import { check } from "./module.js";
import { claims_of, escaped, line_of_row, rendered } from "./markdown.js";

const PAUSE = 250, LINE = 18, PAD = 6;

let original = "", text = "", name = "", errors = [], verdicts = new Map(), line_said = "", able = true, timer = 0;

const view = which => {
    for (const button of document.querySelectorAll("[data-view]"))
        button.setAttribute("aria-pressed", button.dataset.view === which);
    for (const each of ["read", "edit", "claims"])
        $(each).hidden = each !== which;
    if (which === "edit")
        number_lines();
};
const viewing = () => document.querySelector("[data-view][aria-pressed=true]").dataset.view;

/* ---- Reading ---- */

function render() {
    $("read").innerHTML = rendered(text);
    for (const { line } of errors)
        $("read").querySelector(`tr[data-line="${line}"], [data-line="${line}"]`)?.classList.add("wrong");
}

/* ---- Editing ---- */

function number_lines() {
    const count = $("text").value.split("\n").length;
    $("numbers").textContent = Array.from({ length: count }, (_, n) => n + 1).join("\n");
    mark_lines();
}

function mark(line, kind) {
    const at = document.createElement("div");
    at.className = kind;
    at.style.top = `${PAD + (line - 1) * LINE - $("text").scrollTop}px`;
    return at;
}

let shown_line = 0;
function mark_lines() {
    $("numbers").parentElement.scrollTop = $("text").scrollTop;
    $("marks").replaceChildren(...errors.filter(({ line }) => line).map(({ line }) => mark(line, "bad")),
                               ...(shown_line ? [mark(shown_line, "shown")] : []));
}

function go_to(line) {
    const area = $("text"), lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + lines[line - 1].length);
    area.scrollTop = Math.max(0, (line - 6) * LINE);
    mark_lines();
}

function complain() {
    $("complaints").replaceChildren(...errors.map(({ line, text: words }) => {
        const item = document.createElement("li"), button = document.createElement("button");
        button.textContent = line ? `${line}: ${words}` : words;
        button.onclick = () => line && go_to(line);
        item.append(button);
        return item;
    }));
}

/* An image: the drawing's style and patterns are its own, as they are in a file. */
function draw(picture) {
    const image = $("drawing").firstElementChild ?? $("drawing").appendChild(new Image());
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(new Blob([picture], { type: "image/svg+xml" }));
    image.alt = `${name}: virtual memory and physical memory, drawn`;
}

/* What the command line says of the same file. */
async function judge() {
    if (!able)
        return;
    const module = await page.module("layout"), judged = check(module, `${name}.md`, text);
    errors = judged.complaints;
    complain();
    mark_lines();
    render();
    $("verdict").className = judged.good ? "good" : "bad";
    $("verdict").textContent = judged.good ? "good" : `${errors.length} ${errors.length === 1 ? "error" : "errors"}`;
    if (judged.good)
        draw(judged.picture);
    $("undo").disabled = text === original;
    $("boot-edited").disabled = text === original || !judged.good;
    $("how").textContent = text === original ? "" : judged.good ? "" : "the drawing is of the last good one";
    page.judged = judged;
    page.tell("judged", judged);
}

function edited() {
    text = $("text").value;
    shown_line = 0;
    number_lines();
    clearTimeout(timer);
    timer = setTimeout(judge, PAUSE);
}

async function undo() {
    $("text").value = original;
    edited();
}

/* An edited document cannot be linked in a page. */
function boot_edited() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
    link.download = "mine.md";
    link.textContent = "Save it as mine.md";
    const commands = document.createElement("code");
    commands.textContent = "make LAYOUT=mine.md console";
    $("how").replaceChildren("A page has no linker. ", link, ", put it into a clone of Quire, and there: ", commands);
}

/* ---- Claims ---- */

function show_claims() {
    const claims = claims_of(text), count = word => [...verdicts.values()].filter(each => each.verdict === word).length;
    $("claims-rows").innerHTML = claims.map(({ id, text: words, shown }) => {
        const seen = verdicts.get(id);
        const none = shown.startsWith("kernel") ? "not looked at yet" : `shown elsewhere: ${escaped(shown)}`;
        const verdict = !seen ? `<span class="quiet">${none}</span>`
            : `<b class="${seen.verdict}">${seen.verdict}</b><span class="said">${escaped(seen.said)}</span>`;
        return `<tr id="claim-${id}"><td><b>${id}</b> ${escaped(words)}</td><td>${verdict}</td></tr>`;
    }).join("");
    const words = { holds: "hold", fails: "fail", differs: "differ", unseen: "cannot be seen here",
        elsewhere: "are shown elsewhere" };
    $("claims-sum").textContent = verdicts.size === 0 ? `${claims.length} claims`
        : Object.entries(words).filter(([word]) => count(word))
            .map(([word, says]) => `${count(word)} ${says}`).join(", ");
}

/* Lines of the terminal: `claim G1 holds WORDS`. */
function hear(byte) {
    if (byte !== 10) {
        line_said = byte === 13 ? line_said : (line_said + String.fromCharCode(byte)).slice(-2000);
        return;
    }
    const pattern = /(?:^|[^\w])claim ([A-Z]\d+) (holds|fails|differs|unseen|elsewhere) ?(.*)$/;
    const [, id, verdict, said] = line_said.match(pattern) ?? [];
    if (id) {
        verdicts.set(id, { verdict, said });
        show_claims();
    }
    if (/^claims: \d+ hold/.test(line_said))
        page.tell("claims", verdicts);
    line_said = "";
}

async function look() {
    verdicts = new Map();
    show_claims();
    await page.in_mode("console");
    await page.type("claims\r");
}

/* ---- From elsewhere ---- */

page.show_document = async layout => {
    name = layout;
    original = text = await page.text(layout);
    errors = [];
    shown_line = 0;
    verdicts = new Map();
    $("text").value = text;
    number_lines();
    render();
    show_claims();
    await judge();
};

/* The row with that name, in a table `of` physical or virtual memory; `stay`: in the pane that is shown. */
page.show_row = (row, of, stay) => {
    const line = row ? line_of_row(text, row, of) : 0;
    if (!line)
        return false;
    if (!stay)
        page.show("document");
    if (viewing() === "claims")
        view("read");
    $("read").querySelectorAll(".shown").forEach(each => each.classList.remove("shown"));
    const at = $("read").querySelector(`tr[data-line="${line}"]`);
    at?.classList.add("shown");
    if (viewing() === "edit") {
        shown_line = line;
        go_to(line);
    } else {
        at?.scrollIntoView({ block: "center" });
    }
    return true;
};

export function document_pane(is_able) {
    able = is_able;
    for (const button of document.querySelectorAll("[data-view]"))
        button.onclick = () => view(button.dataset.view);
    $("text").oninput = edited;
    $("text").onscroll = mark_lines;
    $("undo").onclick = undo;
    $("boot-edited").onclick = boot_edited;
    $("look").onclick = look;
    $("look").disabled = !able;
    page.on("output", hear);
    page.view = view;
}
