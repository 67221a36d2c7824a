"""Measures how long letters and calls took from the event of an order until they were handed over.

    check_speed.py ORDERS MAILS CALLS MOST_MS

ORDERS, MAILS and CALLS are the output of place_orders.py, fast_mail_server.py and receiver.py. The time of an event is
when order-api created it, shortly before the commit.
"""

import sys

from figures import describe, percentile, read_lines, seconds
from letters import arrived

orders, mails, calls, most_ms = sys.argv[1:]
created = {line["order"]: seconds(line["createdAt"]) for line in read_lines(orders)}
answered = [line["answered"] for line in read_lines(orders)]
print(f"    {len(created)} orders, {len(created) / (max(answered) - min(created.values())):.0f} per second")
print("    order-api's answers:", describe([line["answered"] - created[line["order"]] for line in read_lines(orders)]))
found = {
    "letters": [(letter.order, letter.at) for letter in arrived(mails)],
    "calls": [(line["order"], line["at"]) for line in read_lines(calls)],
}
slow = []
for name, arrivals in found.items():
    delays = [at - created[order] for order, at in arrivals if order in created]
    if len(delays) != len(created):
        sys.exit(f"{len(delays)} {name} have arrived for {len(created)} orders")
    print(f"    {name}: {describe(delays)}")
    if 1000 * percentile(delays, 99) > int(most_ms):
        slow.append(name)
sys.exit(f"the p99 of {' and '.join(slow)} is more than {most_ms} ms" if slow else 0)
