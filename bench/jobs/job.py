"""A job for Python: text into tables, tables into JSON and back, numbers, objects, and sorting."""
import collections
import hashlib
import json
import random
import re


class Account:
    def __init__(self, owner):
        self.owner, self.moves = owner, []

    def move(self, amount, why):
        self.moves.append({"amount": amount, "why": why})

    def balance(self):
        return sum(move["amount"] for move in self.moves)


chance = random.Random(7)
accounts = {f"owner-{n}": Account(f"owner-{n}") for n in range(400)}
for n in range(40000):
    accounts[f"owner-{chance.randrange(400)}"].move(chance.randrange(-500, 900), f"order {n} of {n % 17}")

text = json.dumps({name: account.moves for name, account in accounts.items()})
again = json.loads(text)
assert all(sum(move["amount"] for move in again[name]) == accounts[name].balance() for name in again)

words = collections.Counter(re.findall(r"order \d+", text))
sieve = bytearray(b"\1") * 300000
for n in range(2, 548):
    if sieve[n]:
        sieve[n * n::n] = bytes(len(sieve[n * n::n]))
print(len(text), len(words), sum(sieve) - 2, hashlib.sha256(text.encode()).hexdigest())
for name, account in sorted(accounts.items(), key=lambda pair: -pair[1].balance())[:20]:
    print(name, account.balance(), len(account.moves))
print(pow(3, 10 ** 5) % 10 ** 20)
