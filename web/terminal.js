/*
 * terminal.js - the machine's terminal, and a list of things to try that types for the reader.
 */
import { $, page } from "./page.js";
import { type_slowly } from "./machine.js";

const COLUMNS = 80, SAID = 65536, LONGEST_WAIT = 60000;
const PROMPT = /(?:^|[\r\n])(?:quire> |[^\r\n]* # )$/;

const ideas = {
    console: [["map", "kernel space, drawn"], ["frames", "who has physical memory"],
        ["audit", "every invariant, checked now"],
              ["break S1", "break one on purpose; the auditor names it"],
                  ["claims", "what the document promises, each looked at"],
              ["layout", "the document, as the kernel knows it"],
                  ["entry 0xC0000000", "the way from an address to memory"], ["help", "all commands"]],
    shell: [["cat /proc/self/maps", "a program's own regions"], ["free", "as Linux counts"],
        ["sleep 60 & sleep 60 &", "two more processes on the map"],
            ["head -c 4M /dev/zero | tail -c 1 | wc -c", "a pipe of 4 MiB"],
                ["x=$(head -c 100000 /dev/zero | tr '\\0' x)", "a heap that grows"],
            ["ps", "who runs"], ["ls /proc/quire", "what only Quire has"], ["exit", "the machine's end"]],
};
const more = {
    movos: [["start ticker 2 &", "two small programs"], ["processes", "what they have"],
        ["kill 2", "its pages come back"]],
    firmware: [["apps", "programs in the kernel's image"], ["start recursion 5", "run one"]],
};

let terminal, said = "";

const colours = { light: { background: "#101418", foreground: "#dfe5e8" },
    dark: { background: "#0c0f12", foreground: "#d5dade" } };

/* So that 80 columns fit, where letters can still be read; and memory has half of the height. */
function fit() {
    const width = $("terminal").clientWidth - 34, size = Math.max(9, Math.min(14,
        Math.floor(width / COLUMNS / 0.602 * 2) / 2));
    if (width <= 0)
        return;
    terminal.options.fontSize = size;
    terminal.resize(COLUMNS, Math.max(14, Math.min(24, Math.floor(innerHeight * 0.3 / (size * 1.2)))));
}

/* Resolves when the machine waits for a line; rejects when it never does. */
page.prompt = () => new Promise((done, failed) => {
    const turn = page.booted, began = Date.now();
    const look = () => {
        if (turn !== page.booted)
            failed(new Error("the machine was started again"));
        else if (PROMPT.test(said.slice(-200).replace(/\x1b\[[0-9;]*[A-Za-z]/g, "")))
            done();
        else if (Date.now() - began > LONGEST_WAIT)
            failed(new Error("the machine says no prompt"));
        else
            setTimeout(look, 20);
    };
    look();
});

page.said = () => said;
page.forget = () => { said = ""; };
page.type = async words => {
    said = "";
    await type_slowly(page.machine, words);
};

function offer() {
    const list = [...(page.mode === "console" ? more[page.layout] ?? [] : []), ...ideas[page.mode]];
    $("try").replaceChildren("Try", ...list.map(([words, about]) => {
        const button = document.createElement("button");
        button.textContent = words;
        button.title = about;
        button.onclick = () => page.machine && page.type(`${words}\r`);
        return button;
    }));
}

export async function terminal_pane({ Terminal }) {
    terminal = new Terminal({ cols: COLUMNS, scrollback: 2000, convertEol: false, cursorBlink: false,
                              fontFamily: '"DejaVu Sans Mono", Menlo, Consolas, monospace', screenReaderMode: true });
    terminal.open($("terminal"));
    terminal.onData(words => page.machine?.type(words));
    terminal.attachCustomKeyEventHandler(event => {
        if (!(event.ctrlKey && event.key === "]"))
            return true;
        if (event.type === "keydown")
            $("boot").focus();
        return false;
    });
    new ResizeObserver(fit).observe($("terminal"));
    page.on("output", byte => {
        said = (said + String.fromCharCode(byte)).slice(-SAID);
        terminal.write(Uint8Array.of(byte));
    });
    page.on("reset", () => { terminal.reset(); said = ""; offer(); });
    page.on("theme", theme => { terminal.options.theme = colours[theme]; });
    terminal.options.theme = colours[document.documentElement.dataset.theme];
}
