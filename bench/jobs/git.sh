# A job for git: a tree of four hundred files, ten changes of it, their history, a clone, and a packed repository.
set -e
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@a GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@a
git config --global gc.auto 0
git config --global init.defaultBranch main
git init -q
n=0
while [ $n -lt 10 ]; do
    export GIT_AUTHOR_DATE="$((1700000000 + n)) +0000" GIT_COMMITTER_DATE="$((1700000000 + n)) +0000"
    for file in kernel/memory/spaces/*.c; do echo "/* $n */" >> $file; done
    git add .
    git commit -q -m "change $n"
    n=$((n + 1))
done
git log --stat | tail -n 3
git diff HEAD~5 | wc -l
git status --short | wc -l
git blame kernel/memory/spaces/space.c | tail -n 1
git checkout -q -b other HEAD~3
git clone -q . /tmp/clone
git gc -q
git fsck --strict
git rev-parse HEAD main
