"""A TCP proxy that forwards connections to the current primary of Postgres.

    proxy.py PORT FILE

A new connection to PORT on the loopback address is forwarded to the port in FILE. Open connections are not changed
when FILE changes.
"""

import asyncio
import contextlib
import pathlib
import sys


async def copy(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def forward(reader, writer):
    port = int(pathlib.Path(sys.argv[2]).read_text())
    try:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))


async def main():
    server = await asyncio.start_server(forward, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
