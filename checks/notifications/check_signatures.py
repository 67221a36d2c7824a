"""Verifies the signature of each call with the library of Standard Webhooks, while the secret is rotated.

    check_signatures.py NOTIFICATION PORT SECONDS CALLS

Creates a webhook at 127.0.0.1:PORT and rotates its secret every four seconds. The receiver knows one secret only. It takes
over a new one at a random moment before the next rotation. Ends after SECONDS and CALLS calls, and deletes the webhook.
"""

import asyncio
import random
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from http_client import Client
from receiver import serve_calls

ROTATE_SECONDS = 4
# A call that was signed just before a rotation must have arrived before the receiver takes over the new secret.
LEAST_DELAY = 1
# The receiver of calls whose first one was missed would see the next one after 5 seconds.
MOST_WAIT = 120


async def main(address, port, run_seconds, most):
    client, rng, secret = Client(address, 2), random.Random(1), None
    verified, failures, by_secret, ids = 0, [], {}, set()

    async def receive(_, headers, body):
        nonlocal verified
        try:
            Webhook(secret).verify(body, headers)
            verified += 1
            ids.add(headers["webhook-id"])
            by_secret[secret] = by_secret.get(secret, 0) + 1
        except WebhookVerificationError as error:
            failures.append(f"{error}: {headers['webhook-id']}")

    settings = {"url": f"http://127.0.0.1:{port}/signed", "eventTypes": ["order.created"]}
    _, created = await client.expect(201, "POST", "/api/webhooks", settings)
    secret, path = created["secret"], f"/api/webhooks/{created['webhook']['id']}"
    print("ready", flush=True)
    server = await serve_calls(port, receive)
    loop = asyncio.get_running_loop()
    begin, rotations = loop.time(), 0
    while loop.time() < begin + run_seconds or (len(ids) < most and loop.time() < begin + run_seconds + MOST_WAIT):
        _, rotated = await client.expect(200, "POST", f"{path}/rotate-secret")
        rotations += 1
        delay = rng.uniform(LEAST_DELAY, ROTATE_SECONDS - 0.5)
        await asyncio.sleep(delay)
        secret = rotated["secret"]
        await asyncio.sleep(ROTATE_SECONDS - delay)
    server.close()
    await client.expect(204, "DELETE", path)
    print(f"    {verified} calls of {len(ids)} events verified with {len(by_secret)} secrets, {rotations} rotations, "
          f"{len(failures)} failures")
    for failure in failures[:10]:
        print(f"    PROBLEM: {failure}")
    if failures or len(ids) < most:
        sys.exit(f"{len(failures)} calls had a wrong signature, {most - len(ids)} did not arrive")


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
