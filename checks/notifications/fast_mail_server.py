"""A mail server with as little work as possible, for measurements: it accepts every letter.

    fast_mail_server.py PORT

Prints one line of JSON for each letter: at (when it was complete), to, head (the header of the letter).
"""

import asyncio
import json
import sys
import time


async def serve(reader, writer):
    recipient = None
    writer.write(b"220 localhost ESMTP\r\n")
    try:
        while line := await reader.readline():
            command = line[:4].upper()
            if command == b"DATA":
                writer.write(b"354 go on\r\n")
                content = await reader.readuntil(b"\r\n.\r\n")
                head = content.partition(b"\r\n\r\n")[0].decode()
                print(json.dumps({"at": time.time(), "how": "accepted", "to": recipient, "head": head}), flush=True)
            elif command == b"RCPT":
                recipient = line.split(b"<")[1].split(b">")[0].decode()
            elif command == b"QUIT":
                break
            writer.write(b"250 OK\r\n")
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
