/*
 * module.js - a WebAssembly module made by `make web` (web/module.h): a text in, texts out.
 *
 * The modules are C programs for WASI that open no files. All they can ask of us is to write what their C library says
 * before it gives up, and to exit.
 */

const ERRNO_BADF = 8, DONE = 0;

/* Bytes of a file beside the page; what `make web` has compressed is unpacked, unless the server has done that. */
export async function bytes(path) {
    const answer = await fetch(path);
    if (!answer.ok)
        throw new Error(`${path}: ${answer.status} ${answer.statusText}`);
    return unpacked(await answer.arrayBuffer());
}

export async function unpacked(buffer) {
    const start = new Uint8Array(buffer, 0, Math.min(2, buffer.byteLength));
    if (start[0] !== 0x1f || start[1] !== 0x8b)
        return buffer;
    return new Response(new Blob([buffer]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function system(module) {
    const view = () => new DataView(module.memory.buffer);
    const write = (fd, list, count, written) => {
        let sum = 0;
        for (let n = 0; n < count; n++) {
            const at = view().getUint32(list + 8 * n, true), length = view().getUint32(list + 8 * n + 4, true);
            module.said += new TextDecoder().decode(new Uint8Array(module.memory.buffer, at, length));
            sum += length;
        }
        view().setUint32(written, sum, true);
        return DONE;
    };
    const known = { fd_write: write, proc_exit: () => { throw new Error(module.said || "the module has ended"); } };
    return new Proxy(known, { get: (all, name) => all[name] ?? (() => ERRNO_BADF), has: () => true });
}

export class Module {
    static async load(buffer) { return new Module(await WebAssembly.compile(buffer)); }

    constructor(code) { this.code = code; }

    start() {
        this.said = "";
        const wanted = WebAssembly.Module.imports(this.code).map(({ module }) => [module, system(this)]);
        const imports = Object.fromEntries(wanted);
        this.exports = new WebAssembly.Instance(this.code, imports).exports;
        this.memory = this.exports.memory;
        this.exports._initialize();
    }

    put(text) {
        const data = typeof text === "string" ? new TextEncoder().encode(text) : text;
        const at = this.exports.input(data.length);         /* may move the memory to another buffer */
        new Uint8Array(this.memory.buffer, at, data.length).set(data);
        return data.length;
    }

    answer(n) {
        const at = this.exports.answer(n), length = this.exports.answer_length(n);
        return new TextDecoder().decode(new Uint8Array(this.memory.buffer, at, length));
    }

    /* `ask` calls an export. A module that has failed is started anew for the next question. */
    question(ask, answers) {
        if (!this.exports)
            this.start();
        try {
            const good = ask(this) !== 0;
            return { good, answers: Array.from({ length: answers }, (_, n) => this.answer(n)) };
        } catch (error) {
            this.exports = null;
            return { good: false, answers: [`${error.message}\n`, ...Array(answers - 1).fill("")] };
        }
    }
}

/* `quire layout check NAME`, `show` and `facts`: { good, complaints: [{ line, text }], said, picture, facts }. */
export function check(module, name, text) {
    const { good, answers: [said, picture, facts] } = module.question(m => {
        const name_length = m.put(`${name}\0`), name_at = m.exports.keep_name();
        return name_length && m.exports.check(name_at, m.put(text));
    }, 3);
    const complaints = said.split("\n").filter(line => line).map(line => {
        const parts = line.startsWith(`${name}:`) ? line.slice(name.length + 1).match(/^(?:(\d+):)? ?(.*)$/) : null;
        return parts ? { line: Number(parts[1] ?? 0), text: parts[2] } : { line: 0, text: line };
    });
    return { good, complaints, said, picture, facts };
}

/* A snapshot's lines, drawn: { good, said, picture }. */
export function draw(module, lines) {
    const { good, answers: [said, picture] } = module.question(m => m.exports.draw(m.put(lines)), 2);
    return { good, said, picture };
}
