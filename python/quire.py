"""quire - a sealed Linux program from Python.

    import quire
    with quire.Machine(["busybox", "echo", "hello"], memory="16M") as machine:
        print(machine.run().output)

A Machine is one program in a virtual machine of its own, as with `quire run`; libquire.so does the work (libquire.h
says how it behaves). What is not given, the program does not have: its standard input is empty, and its output is kept.
"""
import ctypes
import json
import os
import re
import select
import time

__all__ = ["Error", "Machine", "Result", "run"]

INPUT, OUTPUT, ERRORS = range(3)
_NAME = "libquire.so.0"
_LONGEST = (1 << 31) - 1
_TAKE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_UNITS = {"": 1 << 20, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Error(Exception):
    """What libquire says went wrong."""


def _load():
    """$LIBQUIRE, the library of an installed Quire or of its tree near this file, or the linker's."""
    here = os.path.dirname(os.path.realpath(__file__))
    places = [os.environ.get("LIBQUIRE"), os.path.join(here, "../../../lib", _NAME),
              os.path.join(here, "../build", _NAME)]
    path = next((place for place in places if place and os.path.exists(place)), _NAME)
    library = ctypes.CDLL(path)
    text, number, pointer = ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p
    for name, result, arguments in [
            ("new", pointer, [ctypes.POINTER(text)]), ("free", None, [pointer]), ("error", text, [pointer]),
            ("kernels", number, [pointer, text]), ("file", number, [pointer, text, text]),
            ("environment", number, [pointer, text]), ("memory", number, [pointer, ctypes.c_uint64]),
            ("timeout", number, [pointer, ctypes.c_uint64]), ("layout", number, [pointer, text]),
            ("swap", number, [pointer, ctypes.c_uint64]),
            ("root", number, [pointer, text]), ("ask_report", number, [pointer]),
            ("stream", number, [pointer, number, number]), ("output", number, [pointer, number, _TAKE, pointer]),
            ("input", number, [pointer, text, ctypes.c_size_t]), ("start", number, [pointer]),
            ("fd", number, [pointer]),
            ("step", number, [pointer]), ("signal", number, [pointer, number]),
            ("status", number, [pointer]), ("report_json", text, [pointer])]:
        function = getattr(library, "quire_" + name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load()


def _bytes_of(size):
    """16, "16M", "2560K", "1G": MiB unless it says otherwise, as -m of quire run."""
    match = re.fullmatch(r"(\d+)([KMG]?)", str(size))
    if match is None:
        raise Error(f"`{size}` is no size of memory")
    size = int(match[1]) * _UNITS[match[2]]
    if size >= 1 << 63:
        raise Error(f"`{match[0]}` is no size of a machine's memory")
    return size


def _text(value):
    """A text for C, which would take a NUL for its end."""
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise Error(f"{value!r} has a NUL in it")
    return encoded


def _milliseconds(seconds):
    """Of a time limit; what libquire cannot take is an error here, since C would take a part of the number."""
    if not 0 < seconds < 1e9:
        raise Error(f"{seconds} seconds are no time limit")
    return max(1, int(seconds * 1000))


class Result:
    """How a run ended: status, output and errors as bytes, report as a dictionary or None, words of Quire's own."""

    def __init__(self, status, output, errors, report, words):
        self.status, self.output, self.errors, self.report, self.words = status, output, errors, report, words

    def __repr__(self):
        return f"Result(status={self.status}, output={self.output!r}, errors={self.errors!r}, words={self.words!r})"


class Machine:
    """One program. `files` are paths, or pairs of a path here and one there; `input` is bytes or a file; `output` and
    `errors` are files, functions of bytes, or None: they are kept for the Result. `timeout` is in seconds."""

    def __init__(self, argv, *, memory=None, swap=None, files=(), environment=(), timeout=None, layout=None,
                 root=None, report=False, input=b"", output=None, errors=None, kernels=None):
        words = (ctypes.c_char_p * (len(argv) + 1))(*[_text(word) for word in argv], None)
        self._handle = _library.quire_new(words)
        if not self._handle:
            raise MemoryError("no memory for a machine")
        self._kept = {OUTPUT: bytearray(), ERRORS: bytearray()}
        self._callbacks, self._raised, self._taking = [], None, False
        try:
            if memory is not None:
                self._do("memory", _bytes_of(memory))
            if swap is not None:
                self._do("swap", _bytes_of(swap))
            if timeout is not None:
                self._do("timeout", _milliseconds(timeout))
            for name, value in (("layout", layout), ("root", root), ("kernels", kernels)):
                if value is not None:
                    self._do(name, _text(value))
            for file in files:
                host, guest = (file, None) if isinstance(file, (str, bytes, os.PathLike)) else file
                self._do("file", _text(host), _text(guest) if guest is not None else None)
            for name in environment:
                value = f"{name}={environment[name]}" if isinstance(environment, dict) else name
                self._do("environment", _text(value))
            if report:
                self._do("ask_report")
            self._input(input)
            self._output(OUTPUT, output)
            self._output(ERRORS, errors)
        except BaseException:
            self.close()
            raise

    def _do(self, name, *arguments):
        if not self._handle:
            raise Error("the machine has been closed")
        done = getattr(_library, "quire_" + name)(self._handle, *arguments)
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        if done == -1:
            raise Error(_library.quire_error(self._handle).decode())
        return done

    def _input(self, source):
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._do("input", bytes(source), len(source))
        else:
            self._do("stream", INPUT, source if isinstance(source, int) else source.fileno())

    def _output(self, stream, to):
        if to is None:
            to = self._kept[stream].extend
        if not callable(to):
            self._do("stream", stream, to if isinstance(to, int) else to.fileno())
            return

        def take(_, address, length):
            if self._raised is not None:
                return
            self._taking = True
            try:
                to(ctypes.string_at(address, length))
            except BaseException as raised:         # an exception cannot go through C: it is raised by who called
                self._raised = raised
            finally:
                self._taking = False
        self._callbacks.append(_TAKE(take))
        self._do("output", stream, self._callbacks[-1], None)

    def start(self):
        self._do("start")
        return self

    def fileno(self):
        """For select and its like: readable when step() has something to do."""
        return _library.quire_fd(self._handle)

    def step(self):
        """What can be done without waiting. True: it has ended."""
        return self._do("step") == 1

    def wait(self, timeout=None):
        """The Result, or None when the time (in seconds) was over first."""
        end = None if timeout is None else time.monotonic() + max(timeout, 0)
        # Waiting in Python, not in C: signals reach their handlers, and exceptions of `output` their caller, at once.
        while not self.step():
            left = _LONGEST if end is None else min((end - time.monotonic()) * 1000, _LONGEST)
            if left <= 0:
                return None
            waiting = select.poll()
            waiting.register(self.fileno(), select.POLLIN)
            waiting.poll(left)
        report = _library.quire_report_json(self._handle)
        return Result(_library.quire_status(self._handle), bytes(self._kept[OUTPUT]), bytes(self._kept[ERRORS]),
                      json.loads(report) if report else None, _library.quire_error(self._handle).decode())

    def run(self):
        return self.start().wait()

    def signal(self, number):
        self._do("signal", number)

    def close(self):
        """End it if it still runs."""
        if self._taking:
            raise Error("a function that is given output ends the machine by an exception, not by close()")
        if self._handle:
            _library.quire_free(self._handle)
        self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_handle", None):
            self.close()


def run(argv, **how):
    """One program from its start to its end: a Result."""
    with Machine(argv, **how) as machine:
        return machine.run()
