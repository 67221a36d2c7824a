"""Places orders at a constant rate, and repeats each request until it is answered.

    place_orders.py API ORDERS_PER_SECOND >ANSWERED

Each request has its own Idempotency-Key. Every tenth order is cancelled in the same way after it is answered. Prints
one line for each answer: the order's id and version. After SIGTERM no new orders are placed, and the program ends
when all requests are answered. It fails if a request has no answer after two minutes.
"""

import http.client
import json
import queue
import signal
import sys
import threading
import time
import uuid

api, rate = sys.argv[1], float(sys.argv[2])
TIMEOUT = 120
BODY = {"customerName": "Ada Lovelace", "items": [{"productId": 1, "quantity": 2}]}

orders = queue.Queue()
stop = threading.Event()
unanswered = []


def post(path, body, key):
    """Repeats a request until it succeeds, and returns the body of the answer."""
    deadline = time.monotonic() + TIMEOUT
    headers = {"content-type": "application/json", "idempotency-key": key}
    while time.monotonic() < deadline and not unanswered:
        connection = http.client.HTTPConnection(api, timeout=15)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            body_of_answer = answer.read()
            if answer.status in (200, 201, 202):
                return json.loads(body_of_answer)
            if answer.status < 500:
                sys.exit(f"{path}: {answer.status} {body_of_answer}")
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    unanswered.append(path)
    return None


def print_order(order):
    sys.stdout.write(f"{order['orderId']} {order['version']}\n")
    sys.stdout.flush()


def run_client():
    while (number := orders.get()) is not None and not unanswered:
        order = post("/api/orders", BODY, str(uuid.uuid4()))
        if order:
            print_order(order)
            if number % 10 == 0:
                cancelled = post(f"/api/orders/{order['orderId']}/cancel", {}, str(uuid.uuid4()))
                if cancelled:
                    # The pharmacy answers with one more event.
                    print_order({**cancelled, "version": 3})


signal.signal(signal.SIGTERM, lambda *_: stop.set())
clients = [threading.Thread(target=run_client) for _ in range(64)]
for client in clients:
    client.start()
begin, number = time.monotonic(), 0
while not stop.wait(max(0.0, begin + number / rate - time.monotonic())):
    orders.put(number)
    number += 1
for _ in clients:
    orders.put(None)
for client in clients:
    client.join()
sys.exit(f"no answer to: {unanswered}" if unanswered else 0)
