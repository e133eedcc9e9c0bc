/*
 * markdown.js - a layout's document as a page: the Markdown that documents are written in, and no more.
 *
 * Every block carries the number of its first line, and every row of a table its own, so that what is said elsewhere
 * of a line can be shown here.
 */

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const escaped = text => text.replace(/[&<>"]/g, c => escapes[c]);

function inline(text) {
    return escaped(text)
        .replace(/`([^`]+)`/g, (_, code) => `<code>${code}</code>`)
        .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
        .replace(/\*([^*]+)\*/g, "<em>$1</em>")
        .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1");
}

export const cells = row => row.trim().replace(/^\||\|$/g, "").split("|").map(cell => cell.trim());
const is_rule = row => /^\s*\|[\s:|-]+$/.test(row);

function table(lines, first) {
    const body = lines.map((line, n) => ({ line, n: first + n })).filter(({ line }) => !is_rule(line));
    if (body.length === 0)
        return "";
    const row = ({ line, n }, tag) =>
        `<tr data-line="${n}">${cells(line).map(cell => `<${tag}>${inline(cell)}</${tag}>`).join("")}</tr>`;
    return `<div class="wide" tabindex="0"><table><thead>${row(body[0], "th")}</thead>` +
           `<tbody>${body.slice(1).map(each => row(each, "td")).join("")}</tbody></table></div>`;
}

const kinds = [
    [/^#{1,6} /, line => line.match(/^#+/)[0].length],
    [/^\s*\|/, () => "table"],
    [/^(\s*[-*] |\s*\d+\. )/, () => "list"],
    [/^    \S/, () => "code"],
    [/^```/, () => "fence"],
    [/^\s*$/, () => "blank"],
];
const kind_of = line => (kinds.find(([pattern]) => pattern.test(line)) ?? [null, () => "text"])[1](line);

function list(lines) {
    const items = [];
    for (const line of lines)
        if (kind_of(line) === "list")
            items.push(line.replace(/^\s*([-*]|\d+\.) /, ""));
        else
            items[items.length - 1] += ` ${line.trim()}`;
    const tag = /^\s*\d/.test(lines[0]) ? "ol" : "ul";
    return `<${tag}>${items.map(item => `<li>${inline(item)}</li>`).join("")}</${tag}>`;
}

/* How many lines from `at` on belong to the block that begins there. */
function reach(lines, at, kind) {
    let end = at + 1;
    if (kind === "fence") {
        while (end < lines.length && !lines[end].startsWith("```"))
            end++;
        return end + 1 - at;
    }
    const goes_on = { table: ["table"], code: ["code", "blank"], text: ["text"],
        list: ["list", "text", "code"] }[kind] ?? [];
    while (end < lines.length && goes_on.includes(kind_of(lines[end])))
        end++;
    return end - at;
}

export function rendered(text) {
    const lines = text.split("\n").map(line => line.replace(/\r$/, "")), out = [];
    for (let at = 0, count; at < lines.length; at += count) {
        const kind = kind_of(lines[at]);
        count = reach(lines, at, kind);
        const part = lines.slice(at, at + count), mark = `data-line="${at + 1}"`;
        if (typeof kind === "number")
            out.push(`<h${kind} ${mark}>${inline(lines[at].replace(/^#+ /, ""))}</h${kind}>`);
        else if (kind === "table")
            out.push(table(part, at + 1));
        else if (kind === "list")
            out.push(list(part));
        else if (kind === "code" || kind === "fence")
            out.push(`<pre ${mark}>${escaped(part.filter(line => !/^```/.test(line)).join("\n").trimEnd())}</pre>`);
        else if (kind === "text")
            out.push(`<p ${mark}>${inline(part.join(" "))}</p>`);
    }
    return out.join("\n");
}

/*
 * The line of the row of a table with ranges whose Name is `name`; 0 if there is none. A table of physical memory has
 * a column Use, one of virtual memory has Kernel; without `of` any does.
 */
export function line_of_row(text, name, of) {
    const lines = text.split("\n"), wanted = { physical: "Use", virtual: "Kernel" }[of] ?? "Name";
    let column = -1;
    for (let n = 0; n < lines.length; n++) {
        if (!/^\s*\|/.test(lines[n])) {
            column = -1;
            continue;
        }
        const row = cells(lines[n]);
        if (is_rule(lines[n]))
            continue;
        if (column < 0)
            column = row.includes("Start") && row.includes(wanted) ? row.indexOf("Name") : lines.length;
        else if (row[column] === name)
            return n + 1;
    }
    return 0;
}

/* The document's claims: [{ id, text, shown }]. */
export function claims_of(text) {
    return text.split("\n").filter(line => /^\|\s*[A-Z]\d+\s*\|/.test(line)).map(line => {
        const [id, shown, words] = cells(line);
        return { id, text: words, shown };
    });
}
