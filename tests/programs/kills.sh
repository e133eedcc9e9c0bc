# kills.sh - processes killed at any point of their lives leave no frame behind (claim M7).
#
# Each round starts a pipeline, lets it live a little longer than the round before, and kills all of it. Then owners
# that only living processes have must have as many frames as before the first round, and the audit must be clean.
# No other process is there while it looks: how far one had come would be counted.
owners() {
    while read -r name count rest; do
        case $name in tables | stacks | user | process) echo "$name $count" ;; esac
    done < /proc/quire/frames
}
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
# Those that were not killed themselves end when they find nobody at the other end of their pipe.
patience=100
while owners > /tmp/after; [ $patience -gt 0 ] && ! busybox cmp -s /tmp/before /tmp/after; do
    busybox usleep 200000
    patience=$((patience - 1))
done
if busybox cmp -s /tmp/before /tmp/after; then echo "every frame came back"; else busybox diff /tmp/before /tmp/after; fi
busybox cut -d ' ' -f 1 /proc/quire/audit
