/*
 * page.js - the page: what is chosen, the machine that runs it, and what the panes know of each other.
 *
 *   document.js   a layout's document: read, edited, checked, drawn; its claims
 *   terminal.js   the machine's terminal, and typing for the reader
 *   memory.js     the live map, and changes watched one by one
 *   lessons.js    five lessons on the running machine
 *   start.js      the order in which they come to life
 *
 * They know each other through this object only: page.layout, page.boot(), page.type(), page.show_row(), page.on().
 */
import { bytes, Module } from "./module.js";
import { Machine } from "./machine.js";

export const $ = id => document.getElementById(id);

const wide = matchMedia("(min-width: 1081px)");

const kept = new Map();
const once = (path, how) => kept.get(path) ?? (kept.set(path, how(path)), kept.get(path));
const file = path => once(path, bytes);
export const script = path => once(path, at => import(at));

export const page = {
    layout: "quire", mode: "console", checked: false, machine: null, booted: 0, listeners: {},

    on(event, hear) { (this.listeners[event] ??= []).push(hear); },
    tell(event, ...what) { for (const hear of this.listeners[event] ?? []) hear(...what); },
    module(name) { return once(`${name}.wasm.gz`, async path => Module.load(await bytes(path))); },
    text(name) { return once(`documents/${name}.md`, async path => new TextDecoder().decode(await bytes(path))); },

    async choose(layout) {
        this.layout = $("layout").value = layout;
        await Promise.all([this.show_document(layout), this.boot({ checked: false })]);
    },

    /* A machine from its reset on; resolves when it has said its prompt. The last call wins. */
    async boot(how = {}) {
        Object.assign(this, how);
        const turn = ++this.booted;
        for (const button of document.querySelectorAll("[data-mode]"))
            button.setAttribute("aria-pressed", button.dataset.mode === this.mode);
        this.state("loading");
        const name = this.layout + (this.checked ? "-checked" : "");
        const [{ V86 }, wasm, bios, vga, kernel, archive] = await Promise.all([
            script("./v86/libv86.mjs"), file("v86/v86.wasm.gz"), file("bios/seabios.gz"), file("bios/vgabios.gz"),
            file(`kernels/${name}.gz`), this.mode === "shell" ? file("shell.gz") : null]);
        const before = this.machine;
        this.machine = null;
        if (before)
            await before.end();
        if (turn !== this.booted)
            return false;
        this.tell("reset");
        const hear = event => (...what) => turn === this.booted && this.tell(event, ...what);
        this.machine = new Machine({ V86, wasm, bios, vga, kernel, archive }, this.words ?? "",
                                   { output: hear("output"), snapshot: hear("snapshot"), change: hear("change"),
                                       watching: hear("watching") });
        this.state("starting");
        return this.prompt().then(() => { this.state(`${name}, ${this.mode}`); this.tell("booted"); return true; },
            () => false);
    },

    state(words) { $("state").textContent = words; },

    /* Boots it in that mode if it is in another. */
    async in_mode(mode) { return this.mode === mode && this.machine ? true : this.boot({ mode }); },

    show(pane) {
        for (const tab of document.querySelectorAll("[role=tab]")) {
            const here = tab.id === `tab-${pane}`;
            tab.setAttribute("aria-selected", here);
            tab.tabIndex = here || wide.matches ? 0 : -1;
        }
        for (const each of document.querySelectorAll(".pane"))
            each.classList.toggle("chosen", each.id === pane);
    },
};
