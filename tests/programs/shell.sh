#!/bin/busybox sh
# A day in the life of a shell: pipelines, files, functions, traps, jobs.
busybox mkdir -p /tmp/bin && busybox --install -s /tmp/bin && export PATH=/tmp/bin:$PATH
cd /tmp || exit 1

echo "== pipelines"
seq 1 200 | awk '{ s += $1 * $1 } END { print s }'
seq 1 1000 | sort -rn | head -3 | tr '\n' ' '; echo
printf 'pear\napple\nfig\napple\n' | sort | uniq -c | sed 's/^ *//'
yes quire | head -5000 | md5sum
seq 1 50000 | gzip | gunzip | tail -1
dd if=/dev/zero bs=1k count=300 2> /dev/null | wc -c

echo "== files"
mkdir -p tree/a/b tree/c
for name in one two three; do echo "$name" > tree/a/$name; done
ln -s ../a/one tree/c/link
ln tree/a/two tree/a/b/hard
find tree | sort
cat tree/c/link
mv tree/a/three tree/c/ && rm tree/a/one
[ -L tree/c/link ] && [ ! -e tree/c/link ] && echo "dangling"
chmod 640 tree/a/two && stat -c '%a %h %s %n' tree/a/two
tar cf tree.tar tree && rm -rf tree && tar tf tree.tar | sort | tail -2 && tar xf tree.tar && cat tree/a/b/hard
grep -rl t tree | sort
echo "shorter" > tree/a/two && cat tree/a/b/hard
cp -r tree copy && diff -r tree copy && echo "same"
du -s /nowhere 2> /dev/null; echo "du $?"

echo "== language"
fib() { if [ "$1" -lt 2 ]; then echo "$1"; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi; }
fib 9
text=$(cat << END
here $((6 * 7)) $(echo nested "$(echo twice)")
END
)
echo "$text" | rev
case "$text" in here*) echo "matched ${text#here }" ;; esac
set -- a "b c" d; echo $# "$2"; shift; echo "$*"
i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done; echo $i
(exit 7); echo "status $?"
false || echo "or" && ! true || echo "not"
echo "$(printf '%05d %x %s' 42 255 end)"
x=unset; unset x; echo "${x:-default}"
read -r a b << END
first the rest
END
echo "$b:$a"

echo "== processes"
trap 'echo "trapped"' USR1
kill -USR1 $$
sleep 0.05 & wait $!; echo "waited $?"
(sleep 5) & kill $!; wait $! 2> /dev/null; echo "killed $?"
sh -c 'kill -SEGV $$' 2> /dev/null; echo "segv $?"
for n in 1 2 3 4 5; do (echo "$n" > job.$n; exit "$n") & done; wait
cat job.*
mkfifo pipe; (seq 1 3 > pipe &); cat pipe
(echo out; echo err >&2) 2>&1 | sort
timeout 1 sleep 5; echo "timeout $?"
nosuchcommand 2> /dev/null; echo "missing $?"
echo 'echo "from a script: $1"; exit 3' > script && chmod +x script && sh ./script word; echo "script $?"
exec 3> third; echo three >&3; exec 3>&-; cat third
trap 'echo "bye"' EXIT
exit 4
