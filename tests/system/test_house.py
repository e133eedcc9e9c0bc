"""The house itself: what a reader of sources.mk and the README is told is true."""
import os
import re
import subprocess


def sources(house, *folders):
    for folder in folders:
        for path, _, names in os.walk(os.path.join(house.tree, folder)):
            for name in names:
                if name.endswith((".c", ".S")):
                    yield os.path.relpath(os.path.join(path, name), house.tree)


def test_the_table_of_contents_lists_every_kernel_source_with_a_phrase(house):
    contents = open(f"{house.tree}/sources.mk").read()
    names = r"(?:kernel|boot|sector|relocator)"
    listed = dict(re.findall(rf"^{names}\s*\+?= (\S+)[ ]+# (\S.*)$", contents, re.M))
    there = set(sources(house, "boot", "kernel", "arch/i386", "layouts"))
    assert set(listed) == there, "written, and not listed; or listed, and not there"
    assert len(re.findall(rf"^{names}\s*\+?= \S", contents, re.M)) == len(listed), "a source twice, or without a phrase"


def test_the_readme_names_files_that_exist(house):
    text = open(f"{house.tree}/README.md").read()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        near = [target, os.path.join("kernel/memory", target)]
        assert any(os.path.exists(os.path.join(house.tree, path)) for path in near), target


def test_setup_says_nothing_when_nothing_is_missing(house):
    done = subprocess.run(["sh", "tools/setup", "test"], cwd=house.tree, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_setup_knows_its_words(house):
    done = subprocess.run(["sh", "tools/setup", "everything"], cwd=house.tree, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "usage" in done.stderr
