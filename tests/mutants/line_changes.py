"""line_changes.py - the changes that can be made to a line of C, one at a time.

Comments, texts and lines of the preprocessor are left alone. A change keeps the number of lines, so that its place is
the place in the tree.
"""
import bisect
import re

COMPARISONS = {"<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",)}
COUNTS = {"++": ("--",), "--": ("++",), " + ": (" - ",), " - ": (" + ",), " += ": (" -= ",), " -= ": (" += ",)}
ARITHMETIC = {" * ": (" / ",), " / ": (" * ",), " % ": (" / ",), " << ": (" >> ",), " >> ": (" << ",),
              " & ": (" | ",), " | ": (" & ",), " ^ ": (" & ",), " |= ": (" &= ",), " &= ": (" |= ",), "~": ("",)}
LOGIC = {"&&": ("||",), "||": ("&&",)}
TRUTH = {"true": ("false",), "false": ("true",)}
PAIRS = ("start end", "first last", "next prev", "next previous", "left right", "low high", "lowest highest",
         "least most", "unit maximum", "round_up round_down", "min max", "minimum maximum", "head tail", "before after",
         "above below", "parent child", "kernel user", "virtual physical", "readers writers", "used free", "size count",
         "page frame", "line errors", "pid tid", "real effective", "soft hard", "width height", "user group")
NO_CALLS = {"if", "for", "while", "switch", "return", "sizeof", "else", "do", "goto", "case", "_Static_assert",
            "typeof", "assert", "deep_assert", "offsetof", "_Alignof"}
ENDS = (";", "{", "}", ")", ":")        # of what stands before a statement
NO_CONSTANTS = {"NULL", "UINT64_C", "UINT32_C", "NORETURN"}

CONDITION = re.compile(r"\b(if|while) (\()")
LOOP = re.compile(r"\bfor (\()")
CALL = re.compile(r"^[ ]+((?:\(void\))?[a-z]\w*)(\()", re.M)
ANY_CALL = re.compile(r"\b([a-zA-Z]\w*)(\()")
STATEMENT = re.compile(r"^[ ]+(\*?[a-z]\w*(?:->\w+|\.\w+|\[[^\]\n]*\])* (?:[-+*/|&^%]|<<|>>)?= [^;{}]*;"
                       r"|[a-z]\w*(?:->\w+|\.\w+|\[[^\]\n]*\])*(?:\+\+|--);|(?:break|continue|return);)", re.M)
RETURN = re.compile(r"\breturn ([^;]+);")
NUMBER = re.compile(r"(?<![\w.])(0[xX][0-9A-Fa-f]+|[0-9]+)([uUlL]*)(?![\w.])")
NAMED = re.compile(r"\b([A-Z][A-Z0-9_]{2,})\b(?!\()")
ERROR = re.compile(r"(?<=-)E[A-Z0-9]{2,}\b")
FUNCTION = re.compile(r"^[a-z_][^\n;=]*?\b(?!__attribute__)(\w+)\([^;{}]*\)[^;{}()]*?\{", re.M)

KINDS = ("comparison", "count", "arithmetic", "logic", "truth", "not", "condition", "operand", "choice", "call",
         "statement", "constant", "name", "error", "return", "arguments")


def one_of(table, before="", behind=""):
    words = "|".join(re.escape(word) for word in sorted(table, key=len, reverse=True))
    return re.compile(f"{before}(?:{words}){behind}")


# Words for words: a pattern that finds them, what each may become, and the kind.
REPLACED = (
    (one_of(COMPARISONS, "(?<= )", "(?= )"), COMPARISONS, "comparison"), (one_of(COUNTS), COUNTS, "count"),
    (one_of(ARITHMETIC), ARITHMETIC, "arithmetic"), (one_of(LOGIC), LOGIC, "logic"),
    (one_of(TRUTH, r"\b", r"\b"), TRUTH, "truth"), (re.compile("!(?!=)"), {"!": ("",)}, "not"),
)


class Change:
    """Text of a file from `start` to `end` replaced by `after`. `kind` is a word of `KINDS`."""

    def __init__(self, source, start, end, after, kind):
        self.path, self.start, self.end, self.after, self.kind = source.path, start, end, after, kind
        self.before = source.text[start:end]
        self.line = source.line_of(start)
        self.line_start = source.starts[self.line - 1]
        self.function = source.function_of(start)
        self.text = source.lines[self.line - 1]
        # A `continue` by itself is like any other: the line before says which it is.
        alone = self.text.strip() in ("continue;", "break;") and self.line > 1
        self.known_as = f"{source.lines[self.line - 2].strip()} {self.text.strip()}" if alone else self.text

    def __str__(self):
        """file:line, and the line before and after; of a text of several lines the first is enough."""
        begin = self.start - self.line_start
        before, after = self.before.split("\n")[0], self.after.split("\n")[0]
        changed = self.text[:begin] + after + self.text[begin + len(before):]
        return f"{self.path}:{self.line}: {self.text.strip()}  →  {changed.strip()}"

    def key(self):
        return [self.path, self.text.strip(), self.start - self.line_start, self.after]


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


def parts_of(text, begin, end):
    """The borders of what commas separate between `begin` and `end`."""
    depth, last, parts = 0, begin, []
    for i in range(begin, end):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[i], 0)
        if text[i] == "," and depth == 0:
            parts.append((last, i))
            last = i + 1
    return [*parts, (last, end)]


def operand_start(text, at):
    """Where the operand begins that ends before `at`: behind a parenthesis, a weaker operator, or `return`."""
    depth = 0
    for i in range(at - 1, 0, -1):
        depth += {")": 1, "]": 1, "(": -1, "[": -1}.get(text[i], 0)
        if depth < 0 or (depth == 0 and (text[i] in ",;{}?:" or text[i - 1:i + 1] in ("&&", "||") or
                                         text[i - 1:i + 2] == " = ")):
            return i + 1
        if depth == 0 and text[i - 6:i + 1] == "return ":
            return i + 1
    return 0


def operand_end(text, at, stops=",;{}?:"):
    """Where the operand ends that begins behind `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[i], 0)
        if depth < 0 or (depth == 0 and (text[i] in stops or text[i:i + 2] in ("&&", "||"))):
            return i
    return len(text)


class Source:
    """One file, and all changes of it."""

    def __init__(self, path, text):
        self.path, self.text, self.masked = path, text, masked(text)
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.functions = sorted((match.start(), match.end() - 1, self.end_of(match.end() - 1), match.group(1))
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
        for start, _, end, name in self.functions:
            if start <= at <= end:
                return name
        return ""

    def in_body(self, at):
        return any(brace < at <= end for _, brace, end, _ in self.functions)

    def change(self, start, end, after, kind):
        """The same number of lines, whatever is left out."""
        after += "\n" * (self.text[start:end].count("\n") - after.count("\n"))
        return Change(self, start, end, after, kind)

    def changed(self, change):
        return self.text[:change.start] + change.after + self.text[change.end:]

    def changes(self):
        for pattern, table, kind in REPLACED:
            for match in pattern.finditer(self.masked):
                for after in table[match.group(0)]:
                    yield self.change(match.start(), match.end(), after, kind)
        for changes in (self.numbers, self.named_numbers, self.names, self.conditions, self.operands, self.choices,
                        self.calls, self.statements, self.returns, self.swapped):
            yield from changes()

    def numbers(self):
        for match in NUMBER.finditer(self.masked):
            as_hex = match.group(1)[:2] in ("0x", "0X")
            value = int(match.group(1), 16 if as_hex else 10)
            for other in [value + 1] + ([value - 1] if value > 0 else []):
                after = (f"0x{other:X}" if as_hex else str(other)) + match.group(2)
                yield self.change(match.start(), match.end(), after, "constant")

    def named_numbers(self):
        """A number with a name is one more, which is the next of an enumeration; an error is another, or no error."""
        for match in NAMED.finditer(self.masked):
            error = ERROR.match(self.masked, match.start())
            if error:
                yield self.change(match.start(), match.end(), "EPERM" if match.group(0) == "EINVAL" else "EINVAL",
                                  "error")
                yield self.change(match.start() - 1, match.end(), match.group(0), "error")
            elif match.group(1) not in NO_CONSTANTS and self.in_body(match.start()):
                yield self.change(match.start(), match.end(), f"({match.group(1)} + 1)", "constant")

    def names(self):
        """A member, or a function, is taken for its counterpart."""
        for pair in PAIRS:
            for one, other in (pair.split(), reversed(pair.split())):
                for match in re.finditer(rf"(?:(?<=->)|(?<=\w\.))\b{one}\b|\b{one}(?=\()", self.masked):
                    if self.in_body(match.start()):
                        yield self.change(match.start(), match.end(), other, "name")

    def conditions(self):
        for match in CONDITION.finditer(self.masked):
            begin, end = match.start(2), closing(self.masked, match.start(2))
            if end is None:
                continue
            yield self.change(begin + 1, end, f"!({self.text[begin + 1:end]})", "condition")
            yield self.change(begin + 1, end, "0", "condition")
            if match.group(1) == "if":
                yield self.change(begin + 1, end, "1", "condition")
        for match in LOOP.finditer(self.masked):
            end = closing(self.masked, match.start(1))
            semicolons = [i for i in range(match.start(1), end or 0) if self.masked[i] == ";"]
            if len(semicolons) == 2 and self.masked[semicolons[0] + 1:semicolons[1]].strip():
                yield self.change(semicolons[0] + 1, semicolons[1], " 0", "condition")

    def operands(self):
        """One side of `&&` or `||` is left out."""
        for match in REPLACED[3][0].finditer(self.masked):
            begin, end = operand_start(self.masked, match.start()), operand_end(self.masked, match.end())
            yield self.change(begin, match.end(), "", "operand")
            yield self.change(match.start(), end, "", "operand")

    def choices(self):
        """`a ? b : c` becomes `a ? c : b`."""
        for match in re.finditer(r"\?", self.masked):
            colon, depth, inner = None, 0, 0
            for i in range(match.end(), len(self.masked)):
                depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(self.masked[i], 0)
                inner += self.masked[i] == "?"
                if depth < 0 or self.masked[i] == ";":
                    break
                if depth == 0 and self.masked[i] == ":" and inner == 0:
                    colon = i
                    break
                inner -= self.masked[i] == ":"
            if colon is not None:
                end = operand_end(self.masked, colon + 1, ",;{}")
                first, second = self.text[match.end():colon].strip(), self.text[colon + 1:end].strip()
                yield self.change(match.end(), end, f" ({second}) : ({first})", "choice")

    def calls(self):
        """Statements that are calls, and nothing but."""
        for match in CALL.finditer(self.masked):
            end = closing(self.masked, match.start(2))
            if end is None or self.masked[end + 1:end + 2] != ";" or match.group(1).replace("(void)", "") in NO_CALLS:
                continue
            if self.begins_statement(match.start()):
                yield self.change(match.start(1), end + 1, "(void)0", "call")

    def begins_statement(self, at):
        before = self.masked[:at].rstrip()
        return before[-1:] in ENDS or before.endswith(("else", "do"))

    def statements(self):
        """Assignments, steps, and ways out that are left out."""
        for match in STATEMENT.finditer(self.masked):
            if self.begins_statement(match.start()) and self.in_body(match.start()):
                yield self.change(match.start(1), match.end(1), "(void)0;", "statement")

    def returns(self):
        for match in RETURN.finditer(self.masked):
            value = self.text[match.start(1):match.end(1)]
            if value not in ("0", "NULL", "true", "false", "1"):
                yield self.change(match.start(1), match.end(1), "0", "return")
                yield self.change(match.start(1), match.end(1), f"!({value})", "return")

    def swapped(self):
        """Neighbours among the arguments of a call change places."""
        for match in ANY_CALL.finditer(self.masked):
            end = closing(self.masked, match.start(2))
            if end is None or match.group(1) in NO_CALLS or not self.in_body(match.start()):
                continue
            parts = parts_of(self.masked, match.end(2), end)
            for (begin, middle), (other, stop) in zip(parts, parts[1:]):
                first, second = self.text[begin:middle].strip(), self.text[other:stop].strip()
                if first != second:
                    yield self.change(begin, stop, ("" if begin == match.end(2) else " ") + f"{second}, {first}",
                                      "arguments")
