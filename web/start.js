/*
 * start.js - the page comes to life: light and dark, tabs, panes, the first machine. See page.js.
 */
import { $, page, script } from "./page.js";
import { bytes } from "./module.js";
import { document_pane } from "./document.js";
import { terminal_pane } from "./terminal.js";
import { memory_pane } from "./memory.js";
import { lessons } from "./lessons.js";

const night = matchMedia("(prefers-color-scheme: dark)");

function say_trouble(error) {
    $("trouble").hidden = false;
    $("trouble").textContent = error instanceof Error ? error.message : error;
}

/* ---- Light and dark ---- */

function dress(theme) {
    document.documentElement.dataset.theme = theme;
    $("theme").textContent = theme === "dark" ? "Light" : "Dark";
    page.tell("theme", theme);
}

function themes() {
    let chosen = null;
    $("theme").onclick = () => dress(chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    night.addEventListener("change", () => chosen ?? dress(night.matches ? "dark" : "light"));
    dress(night.matches ? "dark" : "light");
}

/* ---- One pane at a time, where the page is narrow ---- */

function tabs() {
    const all = [...document.querySelectorAll("[role=tab]")];
    all.forEach((tab, n) => {
        tab.onclick = () => page.show(tab.getAttribute("aria-controls"));
        tab.onkeydown = event => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (step) {
                const next = all[(n + step + all.length) % all.length];
                next.click();
                next.focus();
            }
        };
    });
    page.show("machine");
}

/* How v86 says that a processor has halted for good; nothing else is thrown that is no error. */
function hear_of_the_end() {
    addEventListener("error", event => {
        if (event.error === "HALT") {
            page.state("the machine has ended");
            event.preventDefault();
        }
    });
}

async function start() {
    $("trouble").hidden = true;
    const layouts = new TextDecoder().decode(await bytes("documents/list")).trim().split("\n").reverse();
    page.layout = layouts[0];
    $("layout").append(...layouts.map(name => new Option(name, name)));
    $("layout").onchange = event => page.choose(event.target.value).catch(say_trouble);
    themes();
    tabs();
    hear_of_the_end();
    const able = typeof WebAssembly === "object" && typeof DecompressionStream === "function";
    document_pane(able);
    if (!able) {
        await page.show_document(page.layout);
        page.show("document");
        page.state("cannot start");
        for (const button of document.querySelectorAll("#machine button, #memory button, #lessons, [data-view=claims]"))
            button.disabled = true;
        say_trouble("This browser has no WebAssembly, or no DecompressionStream: the documents can be read and " +
                    "edited here, but nothing checks them and no machine can start.");
        return;
    }
    await terminal_pane(await script("./xterm/xterm.mjs"));
    memory_pane();
    lessons();
    for (const button of document.querySelectorAll("[data-mode]"))
        button.onclick = () => page.boot({ mode: button.dataset.mode }).catch(say_trouble);
    $("boot").onclick = () => page.boot().catch(say_trouble);
    const wanted = new URLSearchParams(location.search);
    page.mode = wanted.get("mode") === "shell" ? "shell" : "console";
    await page.choose(layouts.includes(wanted.get("layout")) ? wanted.get("layout") : page.layout);
}

window.quire = page;                        /* for those who look behind it: the tests, and you */
start().catch(say_trouble);
