"""Forwards clients to the current primary of Postgres, as a proxy or a virtual address would.

    forward.py PORT FILE

A new connection to PORT on the loopback address is forwarded to the port that FILE names at that moment. Open
connections are not changed.
"""

import asyncio
import contextlib
import pathlib
import sys


async def pass_on(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def forward(reader, writer):
    port = int(pathlib.Path(sys.argv[2]).read_text())
    try:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(pass_on(reader, there_writer), pass_on(there_reader, writer))


async def main():
    server = await asyncio.start_server(forward, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
