"""line_changes.py - the changes that can be made to a line of C, one at a time.

Comments, texts and lines of the preprocessor are left alone. A change keeps the number of lines, so that its place is
the place in the tree.
"""
import bisect
import re

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
COUNTS = {"++": "--", "--": "++", " + ": " - ", " - ": " + ", " += ": " -= ", " -= ": " += "}
LOGIC = {"&&": "||", "||": "&&"}
NO_CALLS = {"if", "for", "while", "switch", "return", "sizeof", "else", "do", "goto", "case", "_Static_assert"}

COMPARISON = re.compile(r"(?<= )(==|!=|<=|>=|<|>)(?= )")
COUNT = re.compile(r"\+\+|--| \+ | - | \+= | -= ")
LOGICAL = re.compile(r"&&|\|\|")
NUMBER = re.compile(r"(?<![\w.])(0[xX][0-9A-Fa-f]+|[0-9]+)([uUlL]*)(?![\w.])")
CONDITION = re.compile(r"\b(if|while) (\()")
CALL = re.compile(r"^[ ]+((?:\(void\))?[a-z]\w*)(\()", re.M)
FUNCTION = re.compile(r"^[a-z_][^\n;=]*?\b(\w+)\([^;{}]*\)[^;{}()]*?\{", re.M)


class Change:
    """Text of a file from `start` to `end` replaced by `after`. `kind` is a word of `KINDS`."""

    def __init__(self, source, start, end, after, kind):
        self.path, self.start, self.end, self.after, self.kind = source.path, start, end, after, kind
        self.before = source.text[start:end]
        self.line = source.line_of(start)
        self.function = source.function_of(start)
        self.text = source.lines[self.line - 1]

    def __str__(self):
        """file:line, and the line before and after; of a text of several lines the first is enough."""
        begin = self.start - self.line_start
        before, after = self.before.split("\n")[0], self.after.split("\n")[0]
        changed = self.text[:begin] + after + self.text[begin + len(before):]
        return f"{self.path}:{self.line}: {self.text.strip()}  →  {changed.strip()}"

    def key(self):
        return [self.path, self.text.strip(), self.start - self.line_start, self.after]

    line_start = 0


KINDS = "comparison", "count", "condition", "call", "constant", "logic"


def masked(text):
    """The text with blanks for comments, for what is inside quotes, and for lines of the preprocessor."""
    def blank(match):
        found = match.group(0)
        inner = re.sub(r"[^\n]", " ", found)
        return found[0] + inner[1:-1] + found[-1] if found[0] in "\"'" and len(found) > 1 else inner
    text = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)
    return re.sub(r"^[ ]*#(?:[^\n]*\\\n)*[^\n]*", lambda match: re.sub(r"[^\n]", " ", match.group(0)), text, flags=re.M)


def closing(text, at):
    """Where the parenthesis that opens at `at` is closed."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i
    return None


class Source:
    """One file, and all changes of it."""

    def __init__(self, path, text):
        self.path, self.text, self.masked = path, text, masked(text)
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.functions = sorted((match.start(), self.end_of(match.end() - 1), match.group(1))
                                for match in FUNCTION.finditer(self.masked))

    def end_of(self, brace):
        depth = 0
        for i in range(brace, len(self.masked)):
            depth += {"{": 1, "}": -1}.get(self.masked[i], 0)
            if depth == 0:
                return i
        return len(self.masked)

    def line_of(self, at):
        return bisect.bisect_right(self.starts, at)

    def function_of(self, at):
        """The name of the function around a place; "" outside of all."""
        for start, end, name in self.functions:
            if start <= at <= end:
                return name
        return ""

    def change(self, start, end, after, kind):
        change = Change(self, start, end, after, kind)
        change.line_start = self.starts[change.line - 1]
        return change

    def changed(self, change):
        return self.text[:change.start] + change.after + self.text[change.end:]

    def changes(self):
        text = self.masked
        for pattern, table, kind in ((COMPARISON, COMPARISONS, "comparison"), (COUNT, COUNTS, "count"),
                                     (LOGICAL, LOGIC, "logic")):
            for match in pattern.finditer(text):
                yield self.change(match.start(), match.end(), table[match.group(0)], kind)
        for match in NUMBER.finditer(text):
            value = int(match.group(1), 16 if match.group(1)[:2] in ("0x", "0X") else 10)
            for other in [value + 1] + ([value - 1] if value > 0 else []):
                as_hex = match.group(1)[:2] in ("0x", "0X")
                after = (f"0x{other:X}" if as_hex else str(other)) + match.group(2)
                yield self.change(match.start(), match.end(), after, "constant")
        yield from self.conditions()
        yield from self.calls()

    def conditions(self):
        for match in CONDITION.finditer(self.masked):
            begin, end = match.start(2), closing(self.masked, match.start(2))
            if end is None:
                continue
            inside = self.text[begin + 1:end]
            lines = "\n" * inside.count("\n")
            yield self.change(begin + 1, end, f"!({inside})", "condition")
            yield self.change(begin + 1, end, "0" + lines, "condition")
            if match.group(1) == "if":
                yield self.change(begin + 1, end, "1" + lines, "condition")

    def calls(self):
        """Statements that are calls, and nothing but."""
        for match in CALL.finditer(self.masked):
            end = closing(self.masked, match.start(2))
            if end is None or self.masked[end + 1:end + 2] != ";" or match.group(1).replace("(void)", "") in NO_CALLS:
                continue
            before = self.masked[:match.start()].rstrip()
            if before[-1:] in (";", "{", "}", ")", ":") or before.endswith(("else", "do")):
                lines = "\n" * self.text[match.start(1):end].count("\n")
                yield self.change(match.start(1), end + 1, "(void)0" + lines, "call")
