"""Measures the whole road of an order: CPU time, delay until the pharmacy has it, and the highest rate.

    cargo build --release -p benchmark -p load -p order-api -p order-jobs -p pharmacy-order -p notification
    python3 checks/benchmark/road.py target/release [--against FOLDER] [--rounds 5] [--seconds 20]

With --against, also measures the programs of an older version in the same rounds. Starts the cluster with its own data.
Each round measures everything once. Prints medians, and stores all figures in target/benchmark/road.json.
"""

import argparse
import json
import statistics
import time

from machine import WORK, Cluster, Services, run

# From the creation of an order until the transaction begins that writes it to the pharmacy's table. In milliseconds.
DELAYS = """
    SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP
               (ORDER BY 1000 * extract(epoch FROM p.received_at - o.created_at)::float)
    FROM ordering.orders AS o JOIN pharmacy.orders AS p ON p.order_id = o.id
    WHERE o.created_at > '{since}'"""
# Rates of the search for the highest one, and the delay that ends it.
LADDER = [500, 1000, 1500, 2000, 3000, 4000, 6000, 8000]
MAX_P99 = 500


def measure(services, load, rate, seconds):
    """Figures of `seconds` at this rate."""
    since = services.sql("SELECT clock_timestamp()")
    before, wal = {**services.cluster.cpu(), **services.cpu()}, services.sql("SELECT pg_current_wal_lsn()")
    begin = time.monotonic()
    orders = services.place(load, rate, seconds)
    services.wait_until_received()
    after, took = {**services.cluster.cpu(), **services.cpu()}, time.monotonic() - begin
    wal = int(services.sql(f"SELECT pg_current_wal_lsn() - '{wal}'"))
    p50, p99 = (float(ms) for ms in services.sql(DELAYS.format(since=since)).strip("{}").split(","))
    cpu = {name: 1000 * (after[name] - before[name]) / orders for name in before}
    return {"orders": orders, "took": took, "p50": p50, "p99": p99, "wal": wal / orders,
            "cpu": cpu, "cpu_total": sum(cpu.values())}


def highest_rate(services, load, seconds):
    """The highest rate of the ladder at which the 99th percentile stays below MAX_P99."""
    highest = 0
    for rate in LADDER:
        figures = measure(services, load, rate, seconds)
        if figures["p99"] > MAX_P99 or figures["orders"] < rate * seconds:
            break
        highest = rate
    return highest


def median(figures, *names):
    values = []
    for figure in figures:
        for name in names:
            figure = figure[name]
        values.append(figure)
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--against")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rates", type=lambda text: [int(rate) for rate in text.split(",")], default=[200, 500])
    parser.add_argument("--no-ladder", action="store_true")
    arguments = parser.parse_args()
    load, seconds = f"{arguments.programs}/load", arguments.seconds
    versions = {"now": arguments.programs} | ({"before": arguments.against} if arguments.against else {})
    results = []
    with Cluster() as cluster:
        for round in range(-1, arguments.rounds):
            figures = {"round": round}
            for name, programs in versions.items():
                services = Services(cluster, name, programs)
                services.start()
                # The brokers and the services compile and plan on first use. The round -1 only warms up.
                measure(services, load, 200, 30 if round < 0 else 5)
                for rate in arguments.rates:
                    figures[f"{name}-{rate}"] = measure(services, load, rate, seconds)
                if round == 0 and not arguments.no_ladder:
                    figures[f"{name}-highest"] = highest_rate(services, load, 8)
                services.stop()
            for rate in arguments.rates:
                topic = f"bare-{rate}-{round + 1}"
                cluster.create_topic(topic)
                before = cluster.cpu()
                printed = run(f"{arguments.programs}/benchmark", "bare-road", "--topic", topic, "--rate", rate,
                              "--seconds", seconds, env=cluster.env)
                after = cluster.cpu()
                p50, p99 = (float(ms) for ms in printed.split())
                cpu = {name: 1000 * (after[name] - before[name]) / (rate * seconds) for name in before}
                figures[f"bare-{rate}"] = {"p50": p50, "p99": p99, "cpu": cpu, "cpu_total": sum(cpu.values())}
            if round >= 0:
                results.append(figures)
                print(json.dumps(figures), flush=True)
    (WORK / "road.json").write_text(json.dumps(results, indent=1))
    for rate in arguments.rates:
        for name in [*versions, "bare"]:
            of = [figures[f"{name}-{rate}"] for figures in results]
            print(f"{name} at {rate}/s: p50 {median(of, 'p50')} ms, p99 {median(of, 'p99')} ms, "
                  f"CPU {median(of, 'cpu_total')} ms per order")
            for process in of[0]["cpu"]:
                print(f"    {process:16} {median(of, 'cpu', process)}")
            if "wal" in of[0]:
                print(f"    WAL              {median(of, 'wal')} bytes per order")


if __name__ == "__main__":
    main()
