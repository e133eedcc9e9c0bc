"""newc.py - reading and writing a cpio archive as an initial RAM disk has it ("newc")."""
import collections

Entry = collections.namedtuple("Entry", "mode size offset content time")    # offset: of the content, in the archive


def read(archive):
    """The archive's entries by path, in order, and the list of all names in the archive's order."""
    entries, names, at = collections.OrderedDict(), [], 0
    while True:
        assert archive[at:at + 6] == b"070701", f"no header at {at}"
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        mode, time, size, name_size = fields[1], fields[5], fields[6], fields[11]
        name = archive[at + 110:at + 110 + name_size].split(b"\0")[0].decode(errors="surrogateescape")
        start = (at + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return entries, names
        entries[name] = Entry(mode, size, start, archive[start:start + size], time)
        names.append(name)
        at = (start + size + 3) & ~3


def write(files):
    """An archive of (name, mode, content) each; folders before the files in them."""
    archive = b""
    for number, (name, mode, content) in enumerate([*files, ("TRAILER!!!", 0, b"")]):
        path = name.encode() + b"\0"
        fields = (number + 1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
        archive += b"070701" + b"".join(b"%08x" % field for field in fields) + path
        archive += b"\0" * (-len(archive) % 4) + content
        archive += b"\0" * (-len(archive) % 4)
    return archive
