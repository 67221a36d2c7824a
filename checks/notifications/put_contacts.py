"""Stores the contacts of customers PREFIX-0, PREFIX-1, …, with addresses at PREFIX.example and languages in turn.

    put_contacts.py NOTIFICATION PREFIX NUMBER
"""

import asyncio
import sys

from http_client import Client

LANGUAGES = ("en", "de", "fr")


async def main(address, prefix, number):
    client = Client(address, 8)
    await asyncio.gather(*(
        client.expect(201, "PUT", f"/api/customers/{prefix}-{n}",
                      {"email": f"{prefix}-{n}@{prefix}.example", "language": LANGUAGES[n % 3]})
        for n in range(number)
    ))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
