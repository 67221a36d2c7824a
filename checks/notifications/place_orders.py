"""Places orders at a constant rate. Prints one line of JSON for each answer: order, customer, createdAt, answered.

    place_orders.py API ORDERS_PER_SECOND NUMBER CUSTOMER… [--name NAME] [--note NOTE]

A customer is an id, or PREFIX*NUMBER for PREFIX-0 to PREFIX-(NUMBER-1). The orders go to the customers in turn. Each
request has an Idempotency-Key. Fails if an order is not answered with 201.
"""

import argparse
import asyncio
import json
import sys
import time
import uuid

from http_client import Client

parser = argparse.ArgumentParser()
parser.add_argument("api")
parser.add_argument("rate", type=float)
parser.add_argument("number", type=int)
parser.add_argument("customers", nargs="+")
parser.add_argument("--name", default="Ada Lovelace")
parser.add_argument("--note")
args = parser.parse_args()


def expanded(customer):
    prefix, star, number = customer.partition("*")
    return [f"{prefix}-{n}" for n in range(int(number))] if star else [customer]


async def place(client, customer):
    body = {"customerName": args.name, "customerId": customer, "items": [{"productId": 1, "quantity": 2}]}
    if args.note:
        body["note"] = args.note
    _, order = await client.expect(201, "POST", "/api/orders", body, idempotency_key=uuid.uuid4())
    line = {"order": order["orderId"], "customer": customer, "createdAt": order["createdAt"], "answered": time.time()}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main():
    customers = [one for customer in args.customers for one in expanded(customer)]
    client = Client(args.api, 64)
    begin = time.monotonic()
    async with asyncio.TaskGroup() as orders:
        for number in range(args.number):
            await asyncio.sleep(max(0.0, begin + number / args.rate - time.monotonic()))
            orders.create_task(place(client, customers[number % len(customers)]))


asyncio.run(main())
