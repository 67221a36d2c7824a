"""Measures how long calls took from the event to the receiver, for each round of a measurement, and compares.

    check_calls.py CALLS ROUNDS WEBHOOKS

CALLS is the output of receiver.py. ROUNDS has lines of JSON: kind (`healthy` or `hanging`), orders (a file of
place_orders.py). WEBHOOKS is the number of the webhooks that never hang, with the paths /0, /1, …
"""

import sys
from collections import defaultdict
from statistics import median

from figures import describe, percentile, read_lines, seconds

# The p99 may be a tenth higher, and this much for the scheduler of a machine with few cores.
SLACK_SECONDS = 0.010

calls, rounds, webhooks = sys.argv[1:]
paths = {f"/{number}" for number in range(int(webhooks))}
by_order = defaultdict(dict)
hanging_calls = 0
for line in read_lines(calls):
    hanging_calls += line["path"] == "/hangs"
    if line["path"] in paths:
        by_order[line["order"]].setdefault(line["path"], line["at"] - seconds(line["occurred"]))
p99 = defaultdict(list)
for one in read_lines(rounds):
    orders = [line["order"] for line in read_lines(one["orders"])]
    lost = [order for order in orders if by_order[order].keys() != paths]
    if lost:
        sys.exit(f"{len(lost)} orders did not reach each of the {len(paths)} webhooks")
    delays = [delay for order in orders for delay in by_order[order].values()]
    p99[one["kind"]].append(percentile(delays, 99))
    print(f"    {one['kind']}: {describe(delays)}")
healthy, hanging = median(p99["healthy"]), median(p99["hanging"])
print(f"    medians of the p99: {1000 * healthy:.1f} ms, and {1000 * hanging:.1f} ms while one more webhook hangs "
      f"({hanging_calls} calls of it)")
if not hanging_calls:
    sys.exit("the webhook that hangs was never called, so this check proves nothing")
if hanging > 1.1 * healthy + SLACK_SECONDS:
    sys.exit("a webhook that hangs delays the calls of others")
