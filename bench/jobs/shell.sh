# A shell script of 2 000 forks: half of them run a part of the script, half another program.
n=0
while [ $n -lt 1000 ]; do
    n=$(echo $((n + 1)))
    /bin/true
done
echo $n
