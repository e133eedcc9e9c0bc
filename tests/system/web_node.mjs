/*
 * web_node.mjs - the page's own modules without a page: under node, for test_web.py.
 *
 *   node web_node.mjs SITE check FILE...                 each document through the compiler: a line of JSON for each
 *   node web_node.mjs SITE draw FILE...                  each snapshot through the map's drawing
 *   node web_node.mjs SITE rows FILE                     the names of ranges, the claims, the rendered page
 *   node web_node.mjs SITE boot KERNEL MODE WORDS END    a machine until it says END; its words, a snapshot
 *   node web_node.mjs SITE nonsense                      a second serial line that says anything
 */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import zlib from "node:zlib";

const [given, action, ...rest] = process.argv.slice(2), site = path.resolve(given);
const text_of = name => fs.readFileSync(path.join(site, name), "utf8");
/* The page's modules have the suffix that servers know, so node is told by other means that they are modules. */
const module_of = name => import(`data:text/javascript,${encodeURIComponent(text_of(name))}`);
const buffer = data => data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
const unpacked = name => buffer(zlib.gunzipSync(fs.readFileSync(path.join(site, name))));
const digest = text => crypto.createHash("sha256").update(text).digest("hex");
const say = what => process.stdout.write(`${JSON.stringify(what)}\n`);

async function check(files) {
    const { Module, check } = await module_of("module.js"), module = await Module.load(unpacked("layout.wasm.gz"));
    for (const file of files) {
        const judged = check(module, path.basename(file), fs.readFileSync(file));
        say({ file, good: judged.good, said: judged.said, lines: judged.complaints.map(each => each.line),
            alive: module.exports !== null,
              picture: digest(judged.picture), facts: digest(judged.facts) });
    }
}

async function draw(files) {
    const { Module, draw } = await module_of("module.js"), module = await Module.load(unpacked("map.wasm.gz"));
    for (const file of files) {
        const drawn = draw(module, fs.readFileSync(file));
        say({ file, good: drawn.good, said: drawn.said, picture: digest(drawn.picture),
            alive: module.exports !== null });
    }
}

async function rows([file]) {
    const { claims_of, line_of_row, rendered } = await module_of("markdown.js"), text = fs.readFileSync(file, "utf8");
    const names = [...new Set(text.match(/[a-z-]+/g))];
    say({ rows: Object.fromEntries(names.map(name => [name, line_of_row(text, name)]).filter(([, line]) => line)),
          claims: claims_of(text).map(each => each.id), page: rendered(text) });
}

async function boot([kernel, mode, words, end]) {
    const { Machine } = await module_of("machine.js"), began = Date.now(), wanted = new RegExp(end, "m");
    const { V86 } = await import(path.join(site, "v86/libv86.mjs"));
    const parts = { V86, wasm: unpacked("v86/v86.wasm.gz"), bios: unpacked("bios/seabios.gz"),
        vga: unpacked("bios/vgabios.gz"),
                    kernel: unpacked(`kernels/${kernel}.gz`), archive: mode === "shell" ? unpacked("shell.gz") : null };
    let said = "", prompt = 0;
    const finish = snapshot => { say({ said, prompt, all: Date.now() - began, snapshot }); process.exit(0); };
    const machine = new Machine(parts, words, {
        output: byte => {
            said += String.fromCharCode(byte);
            prompt ||= /quire> $|(root|~) # /.test(said) ? Date.now() - began : 0;
        },
        snapshot: finish, change: () => {}, watching: () => {},
    });
    const timer = setInterval(() => {
        if (wanted.test(said.replaceAll("\r", ""))) {
            clearInterval(timer);
            machine.wish("?\0Mm");
        }
    }, 20);
    setTimeout(() => { say({ said, prompt, all: Date.now() - began, snapshot: null }); process.exit(1); }, 120000);
}

async function nonsense() {
    const { MapLine } = await module_of("machine.js"), snapshots = [], changes = [], answers = [];
    const line = new MapLine({ snapshot: lines => snapshots.push(lines), change: change => changes.push(change),
        watching: yes => answers.push(yes) });
    const put = words => { for (const byte of Buffer.from(words, "latin1")) line.byte(byte); };
    const random = crypto.createHash("shake256", { outputLength: 200000 }).update("a serial line").digest("latin1");
    put(random);
    put("\nend 3\nchange own\nchange\nwatching\nquire-map 1\nram 5\nend 99\n");     /* lacks lines */
    put("quire-map 1\nlayout q t\n" + "x".repeat(100000)
        + "\nquire-map 1\nram 7\nend 2\n");   /* begun anew within another */
    put("change own 8241000 empty --- --- - 0 present r-x r-x 3cd000 1 2 fault 8241f88 a name\nwatching yes\n");
    say({ snapshots, changes, answers });
}

await ({ check, draw, rows, boot, nonsense })[action](rest);
