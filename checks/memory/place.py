"""Places orders of the maximum size: bodies of almost 64 KiB with random texts. With `small`, orders of one item.

    place.py URL ORDERS [small]
"""

import http.client
import json
import random
import sys
import threading
import urllib.parse

CUSTOMERS = 8
LARGEST_BODY = 64 * 1024


def text(rng, length):
    """Random ideographs: 3 bytes each, and few repetitions."""
    return "".join(chr(rng.randrange(0x4E00, 0x9C20)) for _ in range(length))


def body(rng, display):
    items = [
        {
            "productId": product,
            "quantity": 999,
            "medication": {
                "system": f"urn:oid:1.2.{rng.randrange(10**6)}",
                "code": f"{rng.getrandbits(256):064x}",
                "display": text(rng, display),
            },
        }
        for product in range(1, 101)
    ]
    order = {"customerName": text(rng, 200), "items": items, "note": text(rng, 1000)}
    return json.dumps(order, ensure_ascii=False, separators=(",", ":")).encode()


def largest_body(rng):
    """A body with texts as long as the size limit allows."""
    return next(found for display in range(200, 0, -1) if len(found := body(rng, display)) <= LARGEST_BODY)


def largest_bodies(rng):
    sample = largest_body(rng)
    display = len(json.loads(sample)["items"][0]["medication"]["display"])
    while True:
        order = body(rng, display)
        yield order if len(order) <= LARGEST_BODY else largest_body(rng)


def small_bodies(rng):
    while True:
        items = [{"productId": rng.randrange(1, 1000), "quantity": rng.randrange(1, 10)}]
        yield json.dumps({"customerName": "Grace Hopper", "items": items}).encode()


def place(address, seed, number, bodies, failures):
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        for _, order in zip(range(number), bodies(random.Random(seed))):
            connection.request("POST", "/api/orders", order, {"content-type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 201:
                raise RuntimeError(f"{answer.status}: {content[:300]}")
    except Exception as error:  # The main thread reports it.
        failures.append(error)


def main():
    address = urllib.parse.urlsplit(sys.argv[1]).netloc
    orders = int(sys.argv[2])
    bodies = small_bodies if sys.argv[3:] == ["small"] else largest_bodies
    failures = []
    shares = [orders // CUSTOMERS + (customer < orders % CUSTOMERS) for customer in range(CUSTOMERS)]
    customers = [
        threading.Thread(target=place, args=(address, seed, share, bodies, failures)) for seed, share in enumerate(shares)
    ]
    for customer in customers:
        customer.start()
    for customer in customers:
        customer.join()
    if failures:
        sys.exit(f"place.py: {failures[0]}")


main()
