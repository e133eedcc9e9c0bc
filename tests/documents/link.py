"""link.py - kernels of changed documents, linked from objects that kernels of earlier ones were made of.

make compiles what a document's words change, and looks at everything to find that out. Here a source that sees the
document's header is known by the words of the header that it and what it includes mention: where these have the values
that they had in an earlier document, that one's object serves; where they have not, it alone is compiled, and layout.c
and tables.S are for each document. What make alone knows is made by make, and remembered: which objects a kernel has
that chooses sources anew. Nothing in the tree changes meanwhile.
"""
import itertools
import os
import re
import shlex
import shutil
import subprocess
import threading

TOKEN = re.compile(r"\bLAYOUT_([A-Z_0-9]+)")
DEFINED = re.compile(r"^#define LAYOUT_([A-Z_0-9]+) +(.*)$", re.M)
OF_EACH = ("layout.c", "tables.S")              # what every document has of its own


def read(path):
    with open(path) as file:
        return file.read()


def prerequisites(path):
    """The files of a list that the compiler has made for make; none where it has made no list."""
    if not os.path.exists(path):
        return []
    rule = read(path).replace("\\\n", " ").split("\n", 1)[0]
    return rule.split(": ", 1)[1].split()


class Stock:
    """Objects by what they were compiled from, and the lists of objects that kernels are linked of. Any thread."""

    def __init__(self, tree, build):
        self.tree, self.build = tree, build
        self.folder = os.path.join(build, "documents", f"stock-{os.getpid()}")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.lock = threading.Lock()
        self.mentioned = {}         # source: words of layout.h that it depends on
        self.objects = {}           # (source, values of these words): path
        self.commands = {}          # source: the command that compiles it, with {layout} where the document's header is
        self.recipes = {}           # words that choose sources: (compile command, link command, what is linked)
        self.choices = None
        self.numbers = itertools.count()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def words_of(self, source, prerequisites):
        """The words of layout.h that a source, or what it includes, mentions."""
        if source not in self.mentioned:
            self.mentioned[source] = sorted({word for path in prerequisites if not path.endswith("/layout/layout.h")
                                             for word in TOKEN.findall(read(os.path.join(self.tree, path)))})
        return self.mentioned[source]

    def chosen(self, values):
        """The words that choose sources, or rows of the kernel's tables."""
        return frozenset(self.choices & set(values))

    def key(self, source, values):
        """What an object depends on, with its values: the words that choose rows, for tables that are made."""
        if source.startswith("made/"):
            return source, self.chosen(values)
        return source, tuple(values.get(word) for word in self.mentioned[source])

    def learn(self, made):
        """Remember what make has linked a kernel of; `made` is the folder of the document's own objects."""
        compile_command, link_command, linked, choices = read(os.path.join(made, "link.txt")).splitlines()
        values = dict(DEFINED.findall(read(os.path.join(made, "layout", "layout.h"))))
        parts = []
        with self.lock:
            self.choices = set(choices.split())
            for path in linked.split():
                whole = os.path.join(self.tree, path)
                inside = os.path.relpath(whole, made)
                if inside.startswith(".."):
                    parts.append(("once", whole))           # compiled once for all documents
                    continue
                if inside.startswith("kernel/layout/"):
                    source = "made/" + inside.removeprefix("kernel/layout/").removesuffix(".o")
                elif inside == "user/programs.o":
                    source, folder = inside, os.path.join(self.tree, "user")
                    self.words_of(source, [os.path.join(folder, name) for name in os.listdir(folder)])
                else:
                    source = inside.removesuffix(".o")
                    self.words_of(source, prerequisites(whole.removesuffix(".o") + ".d"))
                    if "/" in inside:                       # symbols-0.o is of no document
                        self.commands[source] = self.command_of(made, inside)
                if source.removeprefix("made/") not in OF_EACH:
                    kept = os.path.join(self.folder, f"{len(self.objects)}.o")
                    shutil.copyfile(whole, kept)
                    self.objects.setdefault(self.key(source, values), kept)
                parts.append(("source", source))
            self.recipes[self.chosen(values)] = (compile_command, link_command, parts)

    def command_of(self, made, inside):
        """(the command that make compiles an object with, its source)"""
        folder, source = inside.split("/", 1)
        layout, words  = os.path.join(made, "layout"), read(os.path.join(made, folder, "flags"))
        words = words.replace(layout, "{layout}").replace(os.path.relpath(layout, self.tree), "{layout}")
        return words, source.removesuffix(".o")

    def objects_for(self, values):
        """(commands, the objects of a kernel: paths, or sources that must be compiled); None if some are unknown."""
        with self.lock:
            recipe = self.choices is not None and self.recipes.get(self.chosen(values))
            if not recipe:
                return None
            objects = []
            for kind, name in recipe[2]:
                if kind == "once":
                    objects.append(name)
                elif name.removeprefix("made/") in OF_EACH:
                    objects.append((name, None))
                elif self.key(name, values) in self.objects:
                    objects.append(self.objects[self.key(name, values)])
                elif name in self.commands:
                    objects.append((name, self.key(name, values)))
                else:
                    return None
            return recipe[0], recipe[1], objects

    def link(self, document, folder):
        """The document's kernel as folder/kernel.elf. Returns (status, output), or None where make must do it."""
        layout = os.path.join(folder, "layout")
        os.makedirs(layout, exist_ok=True)
        compiler = os.path.join(self.build, "host", "quire")
        status, said = self.run([compiler, "layout", "compile", document, "-o", layout])
        if status != 0:
            return status, said
        found = self.objects_for(dict(DEFINED.findall(read(os.path.join(layout, "layout.h")))))
        if found is None:
            return None
        compiler, linker, objects = found
        for at, wanted in enumerate(objects):
            if isinstance(wanted, tuple):
                status, said, objects[at] = self.compile(*wanted, compiler, folder)
                if status != 0:
                    return status, said
        return self.run([*shlex.split(linker), "-Wl,-S", "-T", os.path.join(layout, "kernel.ld"), "-o",
                         os.path.join(folder, "kernel.elf"), *objects])

    def compile(self, name, key, compiler, folder):
        """An object that no document has had yet, kept for the next if it has a key: (status, output, path)."""
        layout = os.path.join(folder, "layout")
        if key is None:
            name = name.removeprefix("made/")
            to   = os.path.join(folder, name + ".o")
            return *self.run([*shlex.split(compiler), f"-I{layout}", "-c", "-o", to, os.path.join(layout, name)]), to
        command, source = self.commands[name]
        with self.lock:
            to = os.path.join(self.folder, f"own-{next(self.numbers)}.o")
        status, said = self.run([*shlex.split(command.replace("{layout}", layout)), "-c", "-o", to, source])
        if status == 0:
            with self.lock:
                self.objects[key] = to
        return status, said, to

    def run(self, words):
        done = subprocess.run(words, cwd=self.tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=600, check=False, env={**os.environ, "QUIRE_HOME": self.tree})
        return done.returncode, done.stdout
