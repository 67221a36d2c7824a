"""An HTTP client with a fixed number of connections that are kept open."""

import asyncio
import json


class Client:
    """Sends requests to one server. At most `connections` at the same time; further ones wait."""

    def __init__(self, address, connections):
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.idle = asyncio.LifoQueue()
        for _ in range(connections):
            self.idle.put_nowait(None)

    async def request(self, method, path, body=None, **headers):
        """Returns the status, the headers with names in lower case, and the JSON of the body."""
        content = b"" if body is None else json.dumps(body).encode()
        head = {"host": self.host, "content-type": "application/json", "content-length": len(content)}
        # Underscores, because arguments cannot have hyphens.
        head |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        connection = await self.idle.get()
        try:
            reader, writer = connection or await asyncio.open_connection(self.host, self.port)
            connection = None
            writer.write("\r\n".join(lines).encode() + content)
            status, answer_headers, answer = await asyncio.wait_for(read_answer(reader), 60)
            if answer_headers.get("connection") == "close":
                writer.close()
            else:
                connection = (reader, writer)
            return status, answer_headers, json.loads(answer) if answer.strip() else None
        finally:
            self.idle.put_nowait(connection)

    async def expect(self, status, method, path, body=None, **headers):
        """The headers and the JSON of an answer that must have this status."""
        found, answer_headers, answer = await self.request(method, path, body, **headers)
        if found != status:
            raise SystemExit(f"{method} {path}: {found} {answer}")
        return answer_headers, answer


async def read_answer(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(head[0].split()[1]), headers, body
