"""Measures how fast a relay publishes a backlog and a consumer applies its events, beside the least that they need.

    cargo build --release -p benchmark -p load -p order-api -p order-jobs -p pharmacy-order
    python3 checks/benchmark/drain.py target/release [--events 300000] [--rounds 5]

Each round: order-jobs publishes a backlog; a raw producer publishes the same bytes from memory; the SQL of the relay
processes a backlog without Kafka; pharmacy-order applies the events of new orders; an upsert loop stores as many from
memory. Rates are measured from the first tenth to the end, so that no start of a program counts. Starts the cluster
with its own data. Prints medians, and stores all figures in target/benchmark/drain.json.
"""

import argparse
import json
import statistics
import time
import urllib.request

from machine import PORTS, WORK, Cluster, Services, run

FILL = """
    INSERT INTO ordering.outbox (lane, position, event_id, order_id, order_version, event_type, schema_fingerprint,
                                 payload, headers, occurred_at)
    SELECT number % 16, nextval('ordering.outbox_lane_' || number % 16), gen_random_uuid(), gen_random_uuid(), 1,
           event_type, schema_fingerprint, payload, headers, occurred_at
    FROM generate_series(1, {events}) AS number CROSS JOIN (SELECT * FROM ordering.outbox LIMIT 1) AS event"""


def counter(program, name):
    """The sum of a counter, over all its labels."""
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{PORTS[program]}/metrics").read().decode()
    lines = (line.rsplit(" ", 1) for line in metrics.splitlines() if line.startswith(name))
    return sum(float(value) for _, value in lines)


def rate(services, program, name, number):
    """Starts a program. Returns the rate of its counter, from a tenth of `number` to `number`."""
    services.start(program)
    begin, reached, deadline = None, 0, time.monotonic() + 300
    while reached < number:
        if time.monotonic() > deadline:
            raise SystemExit(f"benchmark: {program} has processed {reached} of {number}")
        time.sleep(0.02)
        reached = counter(program, name)
        if begin is None and reached >= number / 10:
            begin, first = time.monotonic(), reached
    result = (reached - first) / (time.monotonic() - begin)
    services.stop()
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    programs, events = arguments.programs, arguments.events
    results = []
    with Cluster() as cluster:
        services = Services(cluster, "drain", programs)
        services.start("order-api", "order-jobs", "pharmacy-order")
        services.place(f"{programs}/load", 200, 20)
        services.wait_until_published()
        services.stop()
        other = Services(cluster, "apply", programs)
        cluster.create_topic("raw")
        size = services.sql("SELECT octet_length(payload) + 5 FROM ordering.outbox LIMIT 1")
        env = {**cluster.env, "DATABASE_URL": cluster.env["DATABASE_URL"].rsplit("/", 1)[0] + "/drain"}

        def reference(*command):
            return float(run(f"{programs}/benchmark", *command, env=env))

        def fill():
            services.sql(FILL.format(events=events))
            services.sql("CHECKPOINT")

        for round in range(arguments.rounds + 1):
            figures = {}
            fill()
            before = cluster.records(services.topic)
            figures["relay"] = rate(services, "order-jobs", "relay_published_total", events)
            if cluster.records(services.topic) - before != events:
                raise SystemExit("benchmark: the topic did not receive each event once")
            figures["raw producer"] = reference("raw-producer", "--topic", "raw", "--records", events, "--bytes", size)
            fill()
            figures["SQL of the relay"] = reference("relay-sql")
            # With a topic of their own: the copies of the backlog are all about one order.
            other.start("order-api", "order-jobs")
            orders = other.place(f"{programs}/load", 500, 30)
            other.wait_until_published()
            other.stop()
            figures["consumer"] = rate(other, "pharmacy-order", "consumer_events_applied_total", orders)
            figures["upsert loop"] = reference("upsert", "--orders", orders)
            # The first round only warms up.
            if round > 0:
                results.append(figures)
                print(json.dumps(figures), flush=True)
    (WORK / "drain.json").write_text(json.dumps(results, indent=1))

    def line(name, values):
        print(f"{name}: {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})")

    for name in results[0]:
        line(name, [figures[name] for figures in results])
    line("relay, to the slower of producer and SQL",
         [figures["relay"] / min(figures["raw producer"], figures["SQL of the relay"]) for figures in results])
    line("consumer, to the upsert loop", [figures["consumer"] / figures["upsert loop"] for figures in results])


main()
