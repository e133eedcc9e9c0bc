"""reasons.py - lists of lines with a reason each: why a change means nothing, why no test goes through a line.

A list is a file with lines `path | function | text of the line | ... | reason`. Path and function are patterns as for
file names; the text is looked for anywhere in the line as it stands; what stands between the text and the reason is
compared with all names that the caller has for it. `*` is anything. Empty lines and lines that begin with # are for
readers.
"""
import fnmatch


class Reasons:
    def __init__(self, path, parts):
        """`parts` is how many parts a line has, the reason among them."""
        self.entries, self.met = [], set()
        with open(path) as file:
            for line in file:
                if not line.strip() or line.startswith("#"):
                    continue
                entry = [part.strip() for part in line.split(" | ")]
                if len(entry) != parts or not entry[-1]:
                    raise SystemExit(f"{path}: not {parts} parts, the last a reason: {line.strip()}")
                self.entries.append(entry)

    def of(self, path, function, text, *names):
        """The first reason that fits, or None. Every entry that fits counts as met."""
        found = None
        for number, (paths, functions, part, *others, reason) in enumerate(self.entries):
            if (fnmatch.fnmatch(path, paths) and fnmatch.fnmatchcase(function, functions)
                    and (part == "*" or part in text)
                    and all(other == "*" or other in known for other, known in zip(others, names))):
                self.met.add(number)
                found = found or reason
        return found

    def unmet(self):
        """(path, whole line) of each entry that nothing was like."""
        return [(entry[0], " | ".join(entry)) for number, entry in enumerate(self.entries) if number not in self.met]
