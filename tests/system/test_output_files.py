"""Files that the command makes for its user: `map --svg`, `layout show --svg`, `image`: what they may be, and what is
left of them when something goes wrong."""
import os
import stat
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

import pytest

from drawn import draw               # noqa: F401 - a fixture

PROGRAM = ["busybox", "sleep", "1"]


def names(folder):
    return sorted(os.listdir(folder))


@pytest.fixture(params=["once", "followed"])
def follow(request):
    return ["--follow"] if request.param == "followed" else []


def test_a_link_stays_and_what_it_leads_to_is_replaced(draw, follow, tmp_path):
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there/real.svg", tmp_path / "link.svg"
    real.write_text("an older drawing")
    real.chmod(0o640)
    link.symlink_to("there/real.svg")
    assert draw(*follow, "--svg", str(link), *PROGRAM) == (0, "", "")
    ElementTree.parse(real)
    assert os.readlink(link) == "there/real.svg" and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert (names(tmp_path), names(tmp_path / "there")) == (["link.svg", "there"], ["real.svg"])


def test_other_files_beside_it_are_not_touched(draw, follow, tmp_path):
    """An earlier quire wrote to FILE.new first, whoever that belonged to."""
    (tmp_path / "map.svg.new").write_text("somebody's")
    assert draw(*follow, "--svg", str(tmp_path / "map.svg"), *PROGRAM)[0] == 0
    assert (tmp_path / "map.svg.new").read_text() == "somebody's" and names(tmp_path) == ["map.svg", "map.svg.new"]


def test_a_device_stays_one_and_is_written_once(draw, follow, tmp_path):
    """By a link: were it replaced, that would be the link, and not this machine's /dev/null."""
    link = tmp_path / "nothing"
    link.symlink_to("/dev/null")
    status, output, errors = draw(*follow, "--svg", str(link), *PROGRAM)
    assert (status, output, names(tmp_path)) == (0, "", ["nothing"]) and os.readlink(link) == "/dev/null"
    said = f"quire map: --svg {link}: this is no plain file, so it is drawn there once, at the end\n"
    assert errors == (said if follow else "")


def test_a_pipe_is_waited_for_and_written_once(draw, follow, tmp_path):
    pipe, taken = tmp_path / "pipe", []
    os.mkfifo(pipe)
    child = subprocess.Popen([draw.quire, "map", *follow, "--svg", str(pipe), *PROGRAM], stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, env={**os.environ, "QUIRE_BUILD": draw.build})
    assert child.stderr.readline() == f"quire map: --svg {pipe}: waiting until somebody reads this pipe\n"
    reader = threading.Thread(target=lambda: taken.append(pipe.read_text()))
    reader.start()
    assert child.wait(60) == 0
    reader.join(60)
    ElementTree.fromstring(taken[0])
    assert stat.S_ISFIFO(pipe.stat().st_mode) and names(tmp_path) == ["pipe"]


def test_a_pipe_whose_reader_goes_is_an_error_in_words(draw, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    child = subprocess.Popen([draw.quire, "map", "--svg", str(pipe), "busybox", "sh", "-c",
                              "echo begun; busybox sleep 1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env={**os.environ, "QUIRE_BUILD": draw.build})
    assert child.stdout.readline() == "begun\n"
    os.close(reader)
    _, errors = child.communicate(timeout=60)
    assert (child.returncode, errors) == (125, f"quire map: --svg {pipe}: Broken pipe\n")


def test_on_a_full_disk_the_older_drawing_stays(draw, tmp_path):
    path = tmp_path / "map.svg"
    script = ('mount -t tmpfs -o size=16k small "$0" && echo older > "$0/map.svg" || exit 99; '
              '"$@"; status=$?; ls "$0"; cat "$0/map.svg"; exit $status')
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, str(tmp_path), draw.quire, "map", "--svg", str(path),
                           "busybox", "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "QUIRE_BUILD": draw.build})
    if done.returncode in (1, 99):
        pytest.skip(f"no small disk can be made here: {done.stderr}")
    assert (done.returncode, done.stdout) == (125, "map.svg\nolder\n")
    assert done.stderr == f"quire map: --svg {path}: No space left on device\n"


def test_a_link_to_nothing_is_an_error_in_words(draw, tmp_path):
    link = tmp_path / "link.svg"
    link.symlink_to("nowhere")
    assert draw("--svg", str(link), *PROGRAM) == (125, "", f"quire map: --svg {link}: No such file or directory\n")


def test_the_drawing_of_a_document_is_written_likewise(draw, tmp_path):
    tree = {"command": "layout", "QUIRE_HOME": os.path.join(os.path.dirname(__file__), "../..")}
    real, link = tmp_path / "real.svg", tmp_path / "link.svg"
    real.write_text("older")
    real.chmod(0o600)
    link.symlink_to(real)
    assert draw("show", "quire", "--svg", str(link), **tree) == (0, "", "")
    ElementTree.parse(real)
    assert link.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o600 and len(names(tmp_path)) == 2
    for path, why in (("/dev/full", "No space left on device"), ("/nowhere/x.svg", "No such file or directory")):
        assert draw("show", "quire", "--svg", path, **tree) == (1, "", f"quire layout: --svg {path}: {why}\n")


@pytest.mark.parametrize("kind", [[], ["--floppy"], ["--archive"]], ids=["disk", "floppy", "archive"])
def test_an_image_that_cannot_be_written_removes_nothing(draw, tmp_path, kind):
    """`quire image /dev/sdX` as root, on a stick that is too small, had removed the device. Here it is a device in a
    folder of its own where one can be made, and a link to one elsewhere: neither may go."""
    device, link = tmp_path / "device", tmp_path / "link"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        open(device, "wb").close()
    except OSError:
        device.symlink_to("/dev/full")
    link.symlink_to("device")
    for path in link, device:
        assert draw(*kind, str(path), command="image") == (125, "", f"quire image: {path}: No space left on device\n")
    assert link.is_symlink() and stat.S_ISCHR(device.stat().st_mode) and names(tmp_path) == ["device", "link"]


def test_an_image_takes_the_place_of_the_older_one(draw, tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(b"older" * 1_000_000)
    path.chmod(0o640)
    assert draw("--console", str(path), command="image")[0] == 0
    assert path.read_bytes()[510:512] == b"\x55\xaa" and path.stat().st_size == 1 << 20
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and names(tmp_path) == ["disk.img"]
