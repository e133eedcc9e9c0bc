#!/usr/bin/python3
"""untrusted.py - run a Python script that nobody has read, and keep what it prints.

    examples/untrusted.py [--seconds 20] SCRIPT [ARGUMENT...]

The script runs under the python3 that `quire programs` has fetched, in a machine of its own: it sees itself, that
Python and nothing else of this machine. What it prints comes as it is printed, cut at a million bytes; then the machine
is ended.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import quire

MOST = 1000000


class TooMuch(Exception):
    pass


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seconds", type=float, default=20)
    words.add_argument("script")
    words.add_argument("arguments", nargs=argparse.REMAINDER)
    options = words.parse_args()
    printed = bytearray()

    def take(part):
        printed.extend(part)
        if len(printed) > MOST:
            raise TooMuch

    script = os.path.abspath(options.script)
    try:
        result = quire.run(["python3", "/script.py", *options.arguments], output=take, errors=take, memory="64M",
                           timeout=options.seconds, files=[(script, "/script.py"), ":/usr/lib/python3.*"])
    except TooMuch:
        print(f"it printed more than {MOST} bytes, and was ended; the first 60: {bytes(printed[:60])!r}")
        return 1
    except quire.Error as error:
        print(f"it could not be run: {error}")
        return 1
    print(f"status {result.status}, {len(printed)} bytes: {bytes(printed[:2000]).decode(errors='replace')}")
    if result.words:
        print(f"Quire says: {result.words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
