"""Customers who order at a steady rate and do not give up.

    customers.py API ORDERS_A_SECOND >ANSWERED

Each order is posted under a key of its own, again and again until it is answered; every tenth is then cancelled in
the same way. Writes a line for what was answered: the order's id and its version. After SIGTERM nobody orders any
more, and it ends when all have their answer. Fails, and ends soon, if somebody has none after two minutes.
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
PATIENCE = 120
BODY = {"customerName": "Ada Lovelace", "items": [{"productId": 1, "quantity": 2}]}

orders = queue.Queue()
stop = threading.Event()
unanswered = []


def ask(path, body, key):
    """Asks until there is an answer of success, and gives its body."""
    deadline = time.monotonic() + PATIENCE
    headers = {"content-type": "application/json", "idempotency-key": key}
    while time.monotonic() < deadline and not unanswered:
        connection = http.client.HTTPConnection(api, timeout=15)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status in (200, 201):
                return json.loads(said)
            if answer.status < 500:
                sys.exit(f"{path}: {answer.status} {said}")
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    unanswered.append(path)
    return None


def tell(order):
    sys.stdout.write(f"{order['orderId']} {order['version']}\n")
    sys.stdout.flush()


def customer():
    while (number := orders.get()) is not None and not unanswered:
        order = ask("/api/orders", BODY, str(uuid.uuid4()))
        if order:
            tell(order)
            if number % 10 == 0:
                cancelled = ask(f"/api/orders/{order['orderId']}/cancel", {}, str(uuid.uuid4()))
                if cancelled:
                    tell(cancelled)


signal.signal(signal.SIGTERM, lambda *_: stop.set())
customers = [threading.Thread(target=customer) for _ in range(64)]
for one in customers:
    one.start()
begin, number = time.monotonic(), 0
while not stop.wait(max(0.0, begin + number / rate - time.monotonic())):
    orders.put(number)
    number += 1
for _ in customers:
    orders.put(None)
for one in customers:
    one.join()
sys.exit(f"no answer: {unanswered}" if unanswered else 0)
