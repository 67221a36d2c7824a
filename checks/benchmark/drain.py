"""Measures how fast a backlog is published and how fast a consumer applies events, beside the least that this needs.

    cargo build --release -p benchmark -p load -p order-api -p order-jobs -p pharmacy-order
    python3 checks/benchmark/drain.py target/release [--events 1000000] [--rounds 5]

Each round: the backlog is published by 1, 2, 4 and 8 order-jobs, and by Debezium's outbox event router from the same
table of another database; a raw producer publishes the same bytes from memory; the SQL of the relay processes a backlog
without Kafka; pharmacy-order applies the events of new orders; an upsert loop stores as many from memory. The programs
are running when the backlog is committed. Rates are measured from the first tenth to the end. --backlog also publishes
one much larger backlog. Fails if an event is published twice or not at all. Starts the cluster with its own data.
Prints medians, and stores all figures in target/benchmark/drain.json.
"""

import argparse
import json
import statistics
import subprocess
import time
import urllib.request

from debezium import Debezium
from machine import PORTS, WORK, Cluster, Services, run

RELAYS = [1, 2, 4, 8]
TOPIC = "debezium-orders"


def counter(program, name):
    """The sum of a counter, over all its labels."""
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{PORTS[program]}/metrics").read().decode()
    lines = (line.rsplit(" ", 1) for line in metrics.splitlines() if line.startswith(name))
    return sum(float(value) for _, value in lines)


def applied(services, number):
    """Starts the consumer. Returns the rate at which it applies events, from a tenth of `number` to `number`."""
    services.start("pharmacy-order")
    begin, reached, deadline = None, 0, time.monotonic() + 300
    while reached < number:
        if time.monotonic() > deadline:
            raise SystemExit(f"benchmark: the consumer has applied {reached} of {number}")
        time.sleep(0.02)
        reached = counter("pharmacy-order", "consumer_events_applied_total")
        if begin is None and reached >= number / 10:
            begin, first = time.monotonic(), reached
    result = (reached - first) / (time.monotonic() - begin)
    services.stop()
    return result


def empty(services):
    """Empties an outbox whose events were all published, so that the next measurement finds the same."""
    services.sql("TRUNCATE ordering.outbox")
    services.sql("CHECKPOINT")


class Backlogs:
    def __init__(self, cluster, programs):
        self.cluster, self.benchmark = cluster, f"{programs}/benchmark"

    def reference(self, services, *command):
        return float(run(self.benchmark, *command, env={**self.cluster.env, "DATABASE_URL": services.url}))

    def published(self, services, topic, events, publisher):
        """Stores a backlog while `publisher` runs. Returns the rate, and milliseconds of CPU per event."""
        command = [self.benchmark, "arrivals", "--topic", topic, "--records", str(events)]
        arrivals = subprocess.Popen(command, env=self.cluster.env, stdout=subprocess.PIPE, text=True)
        arrivals.stdout.readline()
        services.fill_outbox(events)
        before = {**self.cluster.cpu(), **publisher.cpu()}
        printed = arrivals.stdout.readline().split()
        if arrivals.wait() != 0 or int(printed[1]) != events:
            raise SystemExit(f"benchmark: {printed} records have arrived, not {events}")
        after = {**self.cluster.cpu(), **publisher.cpu()}
        return {"rate": float(printed[0]), "cpu": {name: 1000 * (after[name] - before[name]) / events for name in before}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backlog", type=int)
    arguments = parser.parse_args()
    programs, events = arguments.programs, arguments.events
    results = []
    with Cluster(settings={"wal_level": "logical"}) as cluster:
        services, other, log = (Services(cluster, name, programs) for name in ("drain", "apply", "log"))
        for of in (services, other, log):
            of.create_pharmacy_topic()
        for of in (services, log):
            of.start("order-api", "order-jobs")
            of.place(f"{programs}/load", 200, 10)
            of.wait_until_published()
            of.stop()
            of.sql("CREATE TABLE sample AS SELECT * FROM ordering.outbox LIMIT 1")
        for topic in ("raw", TOPIC):
            cluster.create_topic(topic)
        size = services.sql("SELECT octet_length(payload) + 5 FROM sample")
        backlogs = Backlogs(cluster, programs)

        def relays(number, events):
            services.start("order-jobs", instances=number)
            figures = backlogs.published(services, services.topic, events, services)
            services.stop()
            empty(services)
            return figures

        debezium = Debezium(log, TOPIC)
        try:
            for round in range(arguments.rounds + 1):
                figures = {f"{number} relays": relays(number, events) for number in RELAYS}
                figures["Debezium"] = backlogs.published(log, TOPIC, events, debezium)
                debezium.check()
                empty(log)
                raw = backlogs.reference(services, "raw-producer", "--topic", "raw", "--records", events, "--bytes", size)
                figures["raw producer"] = {"rate": raw}
                services.fill_outbox(events)
                services.sql("CHECKPOINT")
                figures["SQL of the relay"] = {"rate": backlogs.reference(services, "relay-sql")}
                empty(services)
                # With a topic of their own: the copies of the backlog are all about one order.
                other.start("order-api", "order-jobs")
                orders = other.place(f"{programs}/load", 500, 30)
                other.wait_until_published()
                other.stop()
                figures["consumer"] = {"rate": applied(other, orders)}
                figures["upsert loop"] = {"rate": backlogs.reference(other, "upsert", "--orders", orders)}
                # The first round only warms up.
                if round > 0:
                    results.append(figures)
                print(json.dumps(figures), flush=True)
        finally:
            debezium.stop()
        if arguments.backlog:
            rates = [relays(1, number)["rate"] for number in (100_000, arguments.backlog, 100_000)]
            print(f"backlog of 100,000, {arguments.backlog}, 100,000: {rates} per second", flush=True)
    (WORK / "drain.json").write_text(json.dumps(results, indent=1))

    def line(name, values):
        print(f"{name}: {statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})")

    rates = [{name: figure["rate"] for name, figure in figures.items()} for figures in results]
    for name in rates[0]:
        line(f"{name}, per second", [rate[name] for rate in rates])
        for process in results[0][name].get("cpu", {}):
            line(f"    CPU of {process}, milliseconds per event", [figures[name]["cpu"][process] for figures in results])
    line("relay, to the slower of producer and SQL",
         [rate["1 relays"] / min(rate["raw producer"], rate["SQL of the relay"]) for rate in rates])
    line("relay, to Debezium", [rate["1 relays"] / rate["Debezium"] for rate in rates])
    line("CPU of the relay, to that of Debezium",
         [figures["1 relays"]["cpu"]["order-jobs"] / figures["Debezium"]["cpu"]["Debezium"] for figures in results])
    for number in RELAYS:
        best = [max(rate[f"{n} relays"] for n in RELAYS) for rate in rates]
        line(f"{number} relays, to the best number", [rate[f"{number} relays"] / b for rate, b in zip(rates, best)])
    line("consumer, to the upsert loop", [rate["consumer"] / rate["upsert loop"] for rate in rates])


main()
