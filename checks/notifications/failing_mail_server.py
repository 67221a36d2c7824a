"""A mail server that fails at random: it refuses recipients and letters for now, and closes connections.

    failing_mail_server.py PORT SHARE HEALTHY

SHARE is the share of the attempts that fail, from 0 to 1. No more attempts fail once the file HEALTHY exists. Prints one
line of JSON for each attempt: at, how, and for attempts whose letter has arrived also to and head (the header of the
letter). `how` is `accepted`, `answer lost` (it has arrived, but the connection was closed before the answer) or a failure.
"""

import asyncio
import json
import os
import random
import sys
import time

from aiosmtpd.smtp import SMTP

port, share, healthy = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
AT_RECIPIENT = {"451 at RCPT": "451 try again later", "452 at RCPT": "452 too many recipients", "closed at RCPT": None}
AT_CONTENT = {"451 at DATA": "451 local error", "452 at DATA": "452 no storage", "closed at DATA": None,
              "answer lost": None}
rng = random.Random(1)


def report(how, **more):
    sys.stdout.write(json.dumps({"at": time.time(), "how": how, **more}) + "\n")
    sys.stdout.flush()


def end(server, answer):
    """Answers, or closes the connection without an answer."""
    if answer is None:
        server.transport.abort()
    return answer or "421 closed"


class Failing:
    """Decides for each attempt whether it fails, and how."""

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        fails = rng.random() < share and not os.path.exists(healthy)
        session.failure = rng.choice([*AT_RECIPIENT, *AT_CONTENT]) if fails else None
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if session.failure in AT_RECIPIENT:
            report(session.failure)
            return end(server, AT_RECIPIENT[session.failure])
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        arrives = session.failure in (None, "answer lost")
        letter = {"to": envelope.rcpt_tos[0], "head": envelope.content.partition(b"\r\n\r\n")[0].decode()}
        report(session.failure or "accepted", **(letter if arrives else {}))
        return end(server, AT_CONTENT[session.failure]) if session.failure else "250 accepted"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Failing(), hostname="localhost", loop=loop), "127.0.0.1", port)
    await server.serve_forever()


asyncio.run(main())
