"""The pharmacist: confirms, prepares and dispenses every EVERY-th order, as soon as the pharmacy has it.

    work_on_orders.py PHARMACY ORDERS EVERY NUMBER

Reads the file ORDERS of place_orders.py while it grows, until NUMBER orders were dispensed. Prints one line of JSON for
each action that is answered: order, action. Pauses for up to a second between the actions of an order, at random.
"""

import asyncio
import json
import random
import sys

from figures import read_lines
from http_client import Client

ACTIONS = ("confirm", "start", "ready", "dispense")
DEADLINE = 180


async def work_on(client, order, rng):
    path = f"/api/pharmacy/orders/{order}"
    while True:
        status, headers, _ = await client.request("GET", path)
        if status == 200:
            break
        await asyncio.sleep(0.2)
    for action in ACTIONS:
        headers, _ = await client.expect(200, "POST", f"{path}/{action}", if_match=headers["etag"])
        sys.stdout.write(json.dumps({"order": order, "action": action}) + "\n")
        sys.stdout.flush()
        await asyncio.sleep(rng.random())


async def main(address, orders, every, number):
    client, rng, taken = Client(address, 8), random.Random(1), 0
    async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as tasks:
        while taken < number:
            for line in read_lines(orders)[::every][taken:number]:
                tasks.create_task(work_on(client, line["order"], rng))
                taken += 1
            await asyncio.sleep(0.2)


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
