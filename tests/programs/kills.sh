# kills.sh - processes killed at any point of their lives leave no frame behind (claim M7).
#
# Each round starts a pipeline, lets it live a little longer than the round before, and kills all of it. Then owners
# that only living processes have must have as many frames as before the first round, and the audit must be clean.
owners() { busybox grep -E '^(tables|stacks|user|process) ' /proc/quire/frames | busybox tr -s ' ' | busybox cut -d ' ' -f 1,2; }
victims() {
    busybox sh -c 'while :; do busybox seq 300 | busybox sort -r | busybox md5sum; done' > /dev/null 2>&1 &
}

owners > /tmp/before
owners > /tmp/before
round=0
while [ $round -lt 40 ]; do
    victims
    leader=$!
    busybox usleep $((round * 1500))
    kill -STOP $leader 2> /dev/null
    kill -KILL $leader
    wait $leader 2> /dev/null
    round=$((round + 1))
done
busybox usleep 500000
owners > /tmp/after
if busybox cmp -s /tmp/before /tmp/after; then echo "every frame came back"; else busybox diff /tmp/before /tmp/after; fi
busybox cut -d ' ' -f 1 /proc/quire/audit
