"""Leads clients to the Postgres that is the primary, as a proxy or a virtual address would.

    forward.py PORT FILE

Connections to PORT of the loopback address lead to the port that stands in FILE when they are made. Those that
are open stay where they lead.
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
