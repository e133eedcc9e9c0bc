/*
 * machine.js - a PC in the page (v86) that runs one of the kernels, and its two serial lines.
 * Knows nothing of the page.
 *
 * The first line is the terminal. The second is memory's: what is asked there and what comes back is in
 * kernel/init/map_line.h.
 */

export const MEMORY = 32 * 1024 * 1024, SCREEN = 1024 * 1024;

const text = new TextEncoder();

/* Lines of the second serial line: whole snapshots, changes, and answers. What makes no sense is thrown away. */
export class MapLine {
    constructor(listener) {
        this.listener = listener;
        this.line = "";
        this.snapshot = null;
    }

    byte(code) {
        if (code !== 10) {
            if (this.line.length < 1024)
                this.line += String.fromCharCode(code);
            return;
        }
        const line = this.line;
        this.line = "";
        this.take(line);
    }

    take(line) {
        const [word, ...words] = line.split(" ");
        if (word === "quire-map")
            this.snapshot = [line];
        else if (word === "change" && words.length >= 16)
            this.listener.change?.(change_of(words));
        else if (word === "watching")
            this.listener.watching?.(words[0] === "yes");
        else if (this.snapshot) {
            this.snapshot.push(line);
            if (word === "end" || word === "cut") {
                const whole = word === "end" && Number(words[0]) === this.snapshot.length - 1;
                if (whole)
                    this.listener.snapshot?.(`${this.snapshot.join("\n")}\n`);
                this.snapshot = null;
            } else if (this.snapshot.length > 20000)
                this.snapshot = null;
        }
    }
}

const entry_of = ([kind, kernel, user, frame, references]) =>
    ({ kind, rights: user !== "---" ? user : kernel, user: user !== "---", frame, references: Number(references) });

function change_of(words) {
    return { whose: words[0], page: words[1], before: entry_of(words.slice(2, 7)), after: entry_of(words.slice(7, 12)),
             process: Number(words[12]), cause: words[13], what: words[14], name: words.slice(15).join(" ") };
}

export class Machine {
    /*
     * parts: { V86, wasm, bios, vga, kernel, archive }, buffers but for the class; archive: null for the kernel's
     * console.
     * listener: { output(byte), snapshot(lines), change(change), watching(yes) }
     */
    constructor(parts, words, listener) {
        this.line = new MapLine(listener);
        this.pc = new parts.V86({
            wasm_fn: async imports => (await WebAssembly.instantiate(parts.wasm, imports)).instance.exports,
            bios: { buffer: parts.bios }, vga_bios: { buffer: parts.vga }, multiboot: { buffer: parts.kernel },
            ...(parts.archive ? { initrd: { buffer: parts.archive } } : {}),
            cmdline: `map=com2 ${words}`.trim(), memory_size: MEMORY, vga_memory_size: SCREEN, uart1: true,
                autostart: true,
            disable_keyboard: true, disable_mouse: true, disable_speaker: true,
        });
        this.pc.add_listener("serial0-output-byte", byte => listener.output(byte));
        this.pc.add_listener("serial1-output-byte", byte => this.line.byte(byte));
    }

    type(words) { this.pc.serial_send_bytes(0, text.encode(words)); }
    wish(letter) { this.pc.serial_send_bytes(1, text.encode(letter)); }

    /* v86 never answers for a machine that has halted, so nobody waits for it long. */
    async end() { await Promise.race([this.pc.destroy(), new Promise(done => setTimeout(done, 300))]); }
}

/*
 * Types for somebody, not faster than is read: the kernel's line keeps 256 bytes, and v86's sixteen. Each piece waits
 * for its echo or for a moment, whichever is first.
 */
export async function type_slowly(machine, words, piece = 8, pause = 40) {
    for (let at = 0; at < words.length; at += piece) {
        machine.type(words.slice(at, at + piece));
        await new Promise(done => setTimeout(done, pause));
    }
}
