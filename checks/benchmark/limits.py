"""Measures what must not get slower: with many orders, with a transaction that stays open, and when nothing happens.

    cargo build --release -p load -p order-api -p order-jobs -p pharmacy-order -p notification
    python3 checks/benchmark/limits.py target/release [--orders 10000000] [--held 600] [--rate 200] [--rest 60]

- The resting system: statements of order-jobs per second, and CPU of each program.
- Orders at a constant rate; then a transaction that has written a row stays open for `--held` seconds at that rate. The
  delay until the pharmacy has an order, in the last minute, before and with the open transaction.
- The peak memory of each program after all this.
- The list of orders: page 1 and page 10,000 of `--orders` orders.

Starts the cluster with its own data. Prints the figures, and stores them in target/benchmark/limits.json.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import time

from machine import PORTS, WORK, Cluster, Services
from road import DELAYS

MANY_ORDERS = """
    INSERT INTO ordering.orders (id, customer_name, items, status, version, created_at)
    SELECT ('01000000-' || lpad(to_hex(number >> 16), 4, '0') || '-7' || lpad(to_hex(number & 4095), 3, '0') || '-'
            || to_hex(32768 + ((number >> 12) & 15)) || '-' || lpad(to_hex(number), 12, '0'))::uuid,
           'Ada Lovelace', '[{{"productId": 1, "quantity": 2}}]', 'created', 1, now() - interval '1 year'
    FROM generate_series({first}, {last}) AS number"""
PAGE, FAR = 50, 10_000


def delays(services, since):
    p50, p99 = services.sql(DELAYS.format(since=since)).strip("{}").split(",")
    return {"p50": float(p50), "p99": float(p99)}


def at_rest(services, seconds):
    """Statements of the running programs per second, and the share of a core that each program takes."""
    statements = lambda: int(services.sql("SELECT sum(calls) FROM pg_stat_statements"))
    time.sleep(10)
    before, cpu, calls = time.monotonic(), services.cpu(), statements()
    time.sleep(seconds)
    took = time.monotonic() - before
    used = {name: 100 * (after - cpu[name]) / took for name, after in services.cpu().items()}
    return {"statements per second": (statements() - calls) / took, "percent of a core": used}


def held_transaction(services, load, rate, seconds):
    services.place(load, rate, 20)
    since = services.sql("SELECT clock_timestamp()")
    services.place(load, rate, 60)
    services.wait_until_received()
    figures = {"before": delays(services, since)}
    other = subprocess.Popen(["psql", "-X", "-q", services.url], stdin=subprocess.PIPE, text=True)
    other.stdin.write("CREATE TABLE held (n int); BEGIN; INSERT INTO held VALUES (1);\n")
    other.stdin.flush()
    services.place(load, rate, max(seconds - 60, 1))
    since = services.sql("SELECT clock_timestamp()")
    services.place(load, rate, 60)
    services.wait_until_received()
    held = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL"
    if services.sql(held) != "1":
        raise SystemExit("benchmark: the transaction did not stay open")
    figures["with the open transaction"] = delays(services, since)
    other.stdin.close()
    other.wait()
    return figures


def pages(services, number):
    """Milliseconds of a request for the first page, and for page FAR, of the list of orders."""
    for first in range(1, number + 1, 1_000_000):
        services.sql(MANY_ORDERS.format(first=first, last=min(first + 999_999, number)))
    services.sql("VACUUM ANALYZE ordering.orders")
    connection = http.client.HTTPConnection("127.0.0.1", PORTS["order-api"])

    def read(cursor):
        begin = time.perf_counter()
        connection.request("GET", f"/api/orders?limit={PAGE}" + (f"&cursor={cursor}" if cursor else ""))
        answer = json.load(connection.getresponse())
        return 1000 * (time.perf_counter() - begin), answer["nextCursor"]

    cursor = None
    for _ in range(FAR - 1):
        _, cursor = read(cursor)
    first, far = [], []
    for _ in range(500):
        first.append(read(None)[0])
        far.append(read(cursor)[0])
    return {"page 1": statistics.median(first), f"page {FAR}": statistics.median(far)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--orders", type=int, default=10_000_000)
    parser.add_argument("--held", type=int, default=600)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--rest", type=int, default=60)
    arguments = parser.parse_args()
    load, results = f"{arguments.programs}/load", {}

    def note(name, figures):
        results[name] = figures
        print(f"{name}: {json.dumps(figures)}", flush=True)

    with Cluster(settings={"shared_preload_libraries": "pg_stat_statements"}) as cluster:
        services = Services(cluster, "limits", arguments.programs)
        services.sql("CREATE EXTENSION pg_stat_statements")
        services.create_pharmacy_topic()
        services.start("order-jobs")
        note("order-jobs alone, at rest", at_rest(services, arguments.rest))
        services.start("order-api", "pharmacy-order", "notification")
        note("all programs at rest", at_rest(services, arguments.rest))
        note("delay in ms", held_transaction(services, load, arguments.rate, arguments.held))
        note("peak memory in MB", services.peak_memory())
        note("list of orders in ms", pages(services, arguments.orders))
        services.stop()
    (WORK / "limits.json").write_text(json.dumps(results, indent=1))


main()
