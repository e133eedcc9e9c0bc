#!/bin/bash
# What only bash has.
declare -A count
for word in the quick brown fox the lazy dog the end; do count[$word]=$((${count[$word]:-0} + 1)); done
for word in "${!count[@]}"; do echo "$word ${count[$word]}"; done | sort
list=(3 1 2); list+=(5); echo "${#list[@]} ${list[*]:1:2} ${list[-1]}"
while read -r line; do echo "<$line>"; done < <(printf 'a\nb c\n')
[[ "release 12.5" =~ ([0-9]+)\.([0-9]+) ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
printf '%(%Y)T\n' 0
echo {a,b}{1..3} "${BASH_VERSINFO[0]}"
text="hello world"; echo "${text^^} ${text//o/0} ${text:6}"
mapfile -t lines <<< $'one\ntwo\nthree'; echo "${lines[1]}"
sum=0; for ((i = 0; i < 5000; i++)); do ((sum += i % 7)); done; echo "$sum"
function deep { (($1 == 0)) && echo bottom || deep $(($1 - 1)); }; deep 200
coproc { read -r line; echo "got $line"; }; echo ping >&"${COPROC[1]}"; read -r answer <&"${COPROC[0]}"; echo "$answer"
(trap 'echo caught; exit 5' TERM; kill -TERM $BASHPID); echo "$?"
comm -3 <(seq 1 5) <(seq 1 4)
kill -9 $$
