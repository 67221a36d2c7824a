"""A receiver of webhooks.

    receiver.py PORT HANGS

Prints one line of JSON for each call: at (when it had arrived), path, occurred (the time of the event), type, order.
While the file HANGS exists, calls to the path /hangs get no answer, for up to 15 seconds.
"""

import asyncio
import json
import os
import sys
import time

LONGEST_HANG = 15


async def serve_calls(port, receive):
    """Serves HTTP. `receive(path, headers, body)` handles a call; its answer is always 204."""

    async def serve(reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
                body = await reader.readexactly(int(headers["content-length"]))
                await receive(head[0].split()[1], headers, body)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024)


async def main(port, hangs):
    async def receive(path, _, body):
        at, event = time.time(), json.loads(body)
        line = {"at": at, "path": path, "occurred": event["timestamp"], "type": event["type"],
                "order": event["data"].get("orderId")}
        print(json.dumps(line), flush=True)
        while path == "/hangs" and os.path.exists(hangs) and time.time() < at + LONGEST_HANG:
            await asyncio.sleep(0.1)

    server = await serve_calls(port, receive)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
