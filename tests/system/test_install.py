"""`make install`: a command that needs no tree, its manual pages and completions, and an end without remains."""
import os
import re
import shutil
import subprocess

import pytest

COMMANDS = ["run", "shell", "debug", "map", "image", "layout", "new", "programs", "completion"]


def run(*words, **how):
    return subprocess.run(words, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **how)


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


class Installed:
    """A prefix that holds only an installed Quire, away from the tree."""

    def __init__(self, house, prefix, cache):
        self.house, self.prefix = house, prefix
        self.command = os.path.join(prefix, "bin", "quire")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("QUIRE_")}
        self.environment["XDG_CACHE_HOME"] = cache

    def __call__(self, *words):
        return run(self.command, *words, cwd="/", env=self.environment)


@pytest.fixture
def installed(house, tmp_path):
    """Installed below one folder, used below another."""
    layouts = f"LAYOUTS={' '.join(house.layouts)}"
    status, said = house.make("install", layouts, f"DESTDIR={tmp_path}/first", "PREFIX=/opt/quire")
    assert status == 0, said
    os.rename(tmp_path / "first", tmp_path / "second")
    cache = tmp_path / "cache"
    (cache / "quire").mkdir(parents=True)
    os.symlink(os.path.join(house.build, "programs"), cache / "quire" / "programs")
    return Installed(house, str(tmp_path / "second/opt/quire"), str(cache))


def test_installed_runs_without_its_tree(installed, tmp_path):
    layout = installed.house.layouts[-1]
    said = installed("run", "--layout", layout, "busybox", "sh", "-c", "echo sealed; exit 7")
    assert (said.stdout, said.stderr, said.returncode) == ("sealed\n", "", 7)
    listed = installed("layout", "list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == sorted(installed.house.layouts), listed.stderr
    assert installed("layout", "check", layout).returncode == 0
    written = installed("image", "--layout", layout, str(tmp_path / "disk.img"))
    assert written.returncode == 0 and (tmp_path / "disk.img").stat().st_size > 1 << 20, written.stderr
    missing = installed("run", "--layout", "nowhere", "busybox", "true")
    assert missing.returncode == 121
    assert missing.stderr == f"quire run: there is no kernel of the layout nowhere in {installed.prefix}/lib/quire\n"
    for word in ("share", "lib"):
        for name in files_below(os.path.join(installed.prefix, word)):
            with open(os.path.join(installed.prefix, word, name), "rb") as file:
                assert installed.house.tree.encode() not in file.read(), f"{name} names the tree it was built in"


def test_installed_without_programs_says_how_to_fetch_them(installed, tmp_path):
    installed.environment["XDG_CACHE_HOME"] = str(tmp_path / "none")
    said = installed("run", "no-such-program")
    assert said.returncode == 127
    assert said.stderr == ("quire run: there is no program `no-such-program` (looked here; `quire programs` fetches "
                           "some)\n")
    del installed.environment["XDG_CACHE_HOME"]
    installed.environment.pop("HOME", None)
    assert installed("programs").stderr == "quire programs: where to? Neither XDG_CACHE_HOME nor HOME says\n"


def options_of(house, command):
    """The long options that the command's own help lists."""
    status, said = house.quire(command, "--help")
    assert status == 0
    return set(re.findall(r"^\s+(?:-., )?--([a-z-]+)", said, re.M)) - {"usage", "version"}


def test_manual_pages_and_completions_have_every_option(installed):
    pages = os.path.join(installed.prefix, "share", "man", "man1")
    assert sorted(os.listdir(pages)) == sorted(["quire.1"] + [f"quire-{name}.1" for name in COMMANDS])
    with open(os.path.join(pages, "quire.1")) as page:
        described = page.read()
    completions = {shell: installed("completion", shell).stdout for shell in ("bash", "zsh", "fish")}
    files = {"bash": "bash-completion/completions/quire", "zsh": "zsh/site-functions/_quire",
             "fish": "fish/vendor_completions.d/quire.fish"}
    for shell, file in files.items():
        with open(os.path.join(installed.prefix, "share", file)) as text:
            assert text.read() == completions[shell]
    for command in COMMANDS:
        assert command in described
        with open(os.path.join(pages, f"quire-{command}.1")) as page:
            page = page.read().replace("\\-", "-")
        for option in options_of(installed.house, command):
            assert f"--{option}" in page, f"quire-{command}.1 lacks --{option}"
            assert re.search(rf"^    {command}\)\n +options='[^']*--{option}[ ']", completions["bash"], re.M)
            assert f"__fish_seen_subcommand_from {command}' -l {option} " in completions["fish"]
            zsh = re.search(rf"^    {command}\)\n(.*?);;", completions["zsh"], re.M | re.S)[1]
            assert re.search(rf"'\*--{option}=?\[", zsh), f"zsh does not complete {command} --{option}"


# The words typed, and completions that must be offered (+) or not (-).
TYPED = [
    (["quire", ""], "+run +layout +--version"),
    (["quire", "l"], "+layout -run"),
    (["quire", "run", "--re"], "+--report -busybox"),
    (["quire", "run", "--layout", "q"], "+quire"),
    (["quire", "run", "--layout", "=", "q"], "+quire"),
    (["quire", "run", "-m", "8M", "--rep"], "+--report"),
    (["quire", "run", "busybox", "--re"], "---report"),
    (["quire", "run", "--", "--re"], "---report"),
    (["quire", "layout", "sh"], "+show -check"),
    (["quire", "layout", "show", "--s"], "+--svg"),
    (["quire", "completion", "f"], "+fish -bash"),
    (["quire", "nonsense", ""], "-run"),
]


@pytest.mark.parametrize("typed, wanted", TYPED, ids=[" ".join(typed) for typed, _ in TYPED])
def test_bash_completes(house, typed, wanted):
    ask = ('PATH=$1:$PATH; . /dev/stdin; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _quire quire; '
           'printf "%s\\n" "${COMPREPLY[@]}"')
    folder = os.path.join(house.build, "host")
    completion = run(os.path.join(folder, "quire"), "completion", "bash").stdout
    said = subprocess.run(["bash", "-c", ask, "bash", folder, *typed], input=completion.encode(), capture_output=True,
                          timeout=60)
    offered = said.stdout.decode().split()
    assert said.stderr == b""
    for word in wanted.split():
        assert (word[1:] in offered) == (word[0] == "+"), f"{word}: offered are {offered}"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_is_sound(house, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    _, text = house.quire("completion", shell)
    said = subprocess.run([shell, "-n"], input=text, text=True, capture_output=True, timeout=60)
    assert (said.returncode, said.stderr) == (0, "")


def test_completion_of_an_unknown_shell(house):
    status, said = house.quire("completion", "csh")
    assert status == 2 and "no completion is known for the shell `csh`" in said


def staged(tmp_path):
    stage = tmp_path / "stage"
    for name, text in {"bin/quire": "new", "lib/quire/large": "x" * 300000, "share/quire/page": "new"}.items():
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / name).write_text(text)
    (stage / "bin/quire").chmod(0o755)
    (stage / "lib/large").symlink_to("quire/large")
    return stage


def install(house, *words, limit=None):
    script = ["sh", os.path.join(house.tree, "tools", "install"), *words]
    return run("sh", "-c", (f"ulimit -f {limit}; " if limit else "") + 'exec "$@"', "sh", *script)


def test_install_that_finds_no_room_changes_nothing(house, tmp_path):
    """A limit of file sizes stands for a full disk: in both a write stops in the middle."""
    stage, prefix = staged(tmp_path), tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin/quire").write_text("old")
    said = install(house, str(stage), str(prefix), limit=100)
    assert said.returncode == 1
    assert f"nothing was installed in {prefix}, and nothing there was changed" in said.stderr
    assert files_below(prefix) == ["bin/quire"] and (prefix / "bin/quire").read_text() == "old"
    assert sorted(os.listdir(prefix)) == ["bin"]
    assert install(house, str(stage), str(tmp_path / "new/usr/local"), limit=100).returncode == 1
    assert not (tmp_path / "new").exists()


def test_uninstall_leaves_what_others_have(house, tmp_path):
    stage, prefix = staged(tmp_path), tmp_path / "prefix"
    (prefix / "share").mkdir(parents=True)
    (prefix / "share/other").write_text("other")
    assert install(house, str(stage), str(prefix)).returncode == 0
    assert files_below(prefix) == sorted(files_below(stage) + ["share/other"])
    assert os.stat(prefix / "bin/quire").st_mode & 0o777 == 0o755
    assert os.stat(prefix / "share/quire/page").st_mode & 0o777 == 0o644
    assert os.readlink(prefix / "lib/large") == "quire/large"
    assert install(house, "--remove", str(stage), str(prefix)).returncode == 0
    assert files_below(prefix) == ["share/other"] and sorted(os.listdir(prefix)) == ["share"]
