"""A schema registry with HTTPS and a login: the part of Confluent's API that a relay and a consumer use.

    registry.py PORT CERTIFICATE-AND-KEY USER PASSWORD-FILE

Reads the password file at each request, so that the password can be changed while it runs.
"""

import base64
import http.server
import json
import pathlib
import ssl
import sys

port, certificate, user, password_file = sys.argv[1:]
schemas: list[str] = []


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.is_authorized():
            number = self.path.partition("/schemas/ids/")[2].partition("?")[0]
            known = number.isdigit() and 1 <= int(number) <= len(schemas)
            if known:
                self.answer(200, {"schema": schemas[int(number) - 1]})
            else:
                self.answer(404, {"error_code": 40403, "message": "Schema not found"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.is_authorized():
            schema = json.loads(body)["schema"]
            if schema not in schemas:
                schemas.append(schema)
            self.answer(200, {"id": schemas.index(schema) + 1})

    def is_authorized(self):
        password = pathlib.Path(password_file).read_text().removesuffix("\n")
        expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        if self.headers.get("Authorization") == expected:
            return True
        self.answer(401, {"error_code": 401, "message": "Unauthorized"})
        return False

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        # The thread of the connection does the handshake, so that a silent client does not block others.
        connection, address = self.socket.accept()
        return tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate)
Server(("127.0.0.1", int(port)), Registry).serve_forever()
