"""Python computing, allocating, and using its library."""
import collections, hashlib, heapq, itertools, json, os, re, sys, threading, zlib

primes = [n for n in range(2, 5000) if all(n % d for d in range(2, int(n ** 0.5) + 1))]
print("primes", len(primes), primes[-1])
print("big", sum(map(int, str(3 ** 2000))), pow(7, 10 ** 20, 998244353))
print("words", collections.Counter(re.findall(r"\w+", "the cat and the dog and the end")).most_common(2))
print("hash", hashlib.sha256(b"quire" * 10000).hexdigest()[:16], zlib.crc32(b"quire"))
print("json", json.dumps(json.loads('{"b": [1, 2.5, null], "a": "\\u00e9"}'), sort_keys=True))
print("heap", list(heapq.merge([1, 4, 9], [2, 3, 10])), list(itertools.islice(itertools.permutations("abc"), 3)))

blocks = [bytearray(100_000) for _ in range(200)]
print("memory", sum(map(len, blocks)))
del blocks

total, lock = [0], threading.Lock()


def work(n):
    for i in range(n):
        with lock:
            total[0] += i


threads = [threading.Thread(target=work, args=(2000,)) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print("threads", total[0])

with open("/tmp/py.txt", "w+") as file:
    file.writelines(f"{i}\n" for i in range(10000))
    file.seek(0)
    print("file", sum(map(int, file)), os.stat("/tmp/py.txt").st_size)
reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(writer, b"from the child")
    os._exit(6)
print("fork", os.read(reader, 100), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try:
    1 / 0
except ZeroDivisionError as error:
    print("error", error)
print("float", 0.1 + 0.2, 1e308 * 10, round(2.675, 2), sys.maxsize)
sys.exit(11)
