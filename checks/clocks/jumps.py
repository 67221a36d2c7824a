"""Sets the clocks while it places orders. Started by `run`, which explains the check."""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

WORK = pathlib.Path(sys.argv[1])
PROGRAMS = pathlib.Path(sys.argv[2])
PORTS = {"order-api": 17050, "order-jobs": 17052, "pharmacy-order": 17053, "notification": 17054}
DAY = 86_400
TIMEOUT = 40

BEGIN = time.monotonic()
running = {}
orders = []


def log_step(message):
    print(f"{time.monotonic() - BEGIN:4.0f} s  {message}", flush=True)


def eventually(condition, is_true):
    deadline = time.monotonic() + TIMEOUT
    while not is_true():
        if time.monotonic() > deadline:
            sys.exit(f"clocks: timed out waiting until: {condition}")
        time.sleep(0.05)


def request(program, path, body=None, headers={}):
    """Returns status, headers and body of the answer. Status 0 means no answer."""
    url = f"http://127.0.0.1:{PORTS[program]}{path}"
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **headers} if data else headers
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=12) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()
    except OSError:
        return 0, {}, b""


def sql(statement):
    command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", os.environ["POSTGRES"]]
    done = subprocess.run([*command, "-U", "orders", "-d", "orders", "-c", statement],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


# --- Clocks -------------------------------------------------------------------------------------------------------

# Offset in seconds between a correct clock in this check and the real time.
CORRECT_OFFSET = 0


def set_clock(name, jump):
    """Sets a clock to the correct time of this check plus `jump` seconds."""
    new = WORK / f"{name}.new"
    new.write_text(f"{CORRECT_OFFSET + jump:+d}s\n")
    new.rename(WORK / f"{name}.clock")


# --- Programs -----------------------------------------------------------------------------------------------------


def start(name):
    endpoints = json.loads((WORK / "standalone" / "endpoints.json").read_text())
    settings = {
        "LD_PRELOAD": os.environ["PRELOAD"],
        "FAKETIME_TIMESTAMP_FILE": str(WORK / f"{name}.clock"),
        "FAKETIME_NO_CACHE": "1",
        # The programs wait and measure with the monotonic clock, which must not jump.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "DATABASE_URL": f"postgres://orders@127.0.0.1:{os.environ['POSTGRES']}/orders",
        "KAFKA_BOOTSTRAP_SERVERS": endpoints["kafka"],
        "SCHEMA_REGISTRY_URL": endpoints["schema_registry"],
        "KAFKA_GROUP": f"clocks-{name}",
        "HTTP_ADDR": f"127.0.0.1:{PORTS[name]}",
    }
    log = open(WORK / f"{name}.log", "ab")
    running[name] = subprocess.Popen([PROGRAMS / name], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     env={**os.environ, **settings})


def stop(names):
    for name in names:
        running[name].terminate()
    for name in names:
        running.pop(name).wait(30)


def wait_until_ready():
    for name in PORTS:
        eventually(f"{name} is ready", lambda: request(name, "/readyz")[0] == 200)


def run_housekeeping():
    """Restarts the programs that do housekeeping. They do it once immediately after start."""
    names = ["order-jobs", "pharmacy-order", "notification"]
    stop(names)
    for name in names:
        start(name)
    wait_until_ready()
    for name in names:
        log = WORK / f"{name}.log"
        eventually(f"{name} has done its housekeeping", lambda: has_done_housekeeping(log.read_text()))


def has_done_housekeeping(log):
    since_start = log.rsplit("listening on", 1)[1]
    return "housekeeping done" in since_start


# --- Orders -------------------------------------------------------------------------------------------------------


def body(number):
    return {"customerName": f"Customer {number}", "items": [{"productId": 1, "quantity": 2}]}


def place(count=3, cancel=True):
    for _ in range(count):
        number, key = len(orders), str(uuid.uuid4())
        status, _, answer = request("order-api", "/api/orders", body(number), {"idempotency-key": key})
        if status != 201:
            sys.exit(f"clocks: placing an order was answered with {status}: {answer!r}")
        order = {"id": json.loads(answer)["orderId"], "key": key, "number": number, "events": 1}
        orders.append(order)
        if cancel and number % 2:
            status, _, answer = request("order-api", f"/api/orders/{order['id']}/cancel", {"reason": "no need"})
            if status != 202:
                sys.exit(f"clocks: cancelling an order was answered with {status}: {answer!r}")
            order["events"] = 3  # the request to cancel, and the answer of the pharmacy


def has_arrived(order):
    status, _, answer = request("pharmacy-order", f"/api/pharmacy/orders/{order['id']}")
    if status != 200 or json.loads(answer)["version"] != order["events"]:
        return False
    status, _, answer = request("notification", f"/api/notifications?orderId={order['id']}")
    states = [item["state"] for item in json.loads(answer)["items"]] if status == 200 else []
    return states == ["sent"] * order["events"]


def wait_until_arrived(since=0):
    for order in orders[since:]:
        eventually(f"order {order['number']} is in both read models", lambda: has_arrived(order))
    eventually("all events are processed",
               lambda: sql("SELECT count(*) FROM ordering.outbox_status WHERE NOT processed") == "0")


def check_idempotency_keys():
    """Checks that each repeated request gets its original answer, however old it is."""
    for order in orders:
        status, headers, answer = request("order-api", "/api/orders", body(order["number"]),
                                          {"idempotency-key": order["key"]})
        if status != 201 or headers["idempotency-replayed"] != "true" or \
                json.loads(answer)["orderId"] != order["id"]:
            sys.exit(f"clocks: the idempotency key of order {order['number']} was forgotten: {status} {answer!r}")
    stored = sql("SELECT count(*) FROM ordering.orders")
    if stored != str(len(orders)):
        sys.exit(f"clocks: {len(orders)} orders were placed, {stored} are stored")


# --- Jumps --------------------------------------------------------------------------------------------------------


def cross_midnight():
    global CORRECT_OFFSET
    CORRECT_OFFSET = DAY - 4 - int(time.time()) % DAY
    for name in ["postgres", *PORTS]:
        set_clock(name, 0)
    day = sql("SELECT current_date")
    place()
    eventually("the next day has begun", lambda: place(1) or sql("SELECT current_date") != day)
    place()
    wait_until_arrived()
    if sql("SELECT count(*) FROM ordering.outbox_default") != "0":
        sys.exit("clocks: events of the new day are in the default partition")
    log_step(f"midnight: {len(orders)} orders, before and after")


def jump_service(name, jump):
    since = len(orders)
    place(1)
    set_clock(name, jump)
    place(2)
    if name == "order-api":
        # Check that the clock has really jumped.
        _, _, answer = request("order-api", f"/api/orders/{orders[-1]['id']}")
        days = sql(f"SELECT round(extract(epoch FROM '{json.loads(answer)['createdAt']}' - now()) / {DAY})")
        if int(days) != jump // DAY:
            sys.exit(f"clocks: the clock of order-api did not jump: the order is dated {days} days from now")
    wait_until_arrived(since)
    set_clock(name, 0)
    place(1)
    wait_until_arrived(since)


def schedule_retries():
    """Schedules a retry of one notification and of one event, as after a failure."""
    sql("UPDATE notification.notifications SET state = 'pending', sent_at = NULL, attempts = 12,"
        " due_at = now() + interval '40 minutes' WHERE id = (SELECT max(id) FROM notification.notifications)")
    sql("INSERT INTO ordering.outbox_stragglers (lane, position, reason, order_id, attempts, retry_at)"
        " SELECT lane, position, 'failed', order_id, 9, now() + interval '4 minutes' FROM ordering.outbox"
        " WHERE event_type = 'OrderCreated' ORDER BY recorded_at DESC LIMIT 1")


def jump_postgres(jump):
    since = len(orders)
    place(2)
    wait_until_arrived(since)
    events = sql("SELECT count(*) FROM ordering.outbox")
    today = sql("SELECT current_date")
    set_clock("postgres", jump)
    if sql(f"SELECT current_date - '{today}'::date") != str(jump // DAY):
        sys.exit("clocks: the clock of Postgres did not jump")
    run_housekeeping()
    if sql("SELECT count(*) FROM ordering.outbox") != events:
        sys.exit("clocks: events were deleted too early")
    place(3)
    wait_until_arrived(since)
    check_idempotency_keys()
    if jump > 0:
        schedule_retries()
    set_clock("postgres", 0)
    wait_until_arrived(since)
    run_housekeeping()
    place(2)
    wait_until_arrived(since)
    check_idempotency_keys()
    notified = dict(line.split("|") for line in
                sql("SELECT order_id, count(*) FROM notification.notifications GROUP BY 1").splitlines())
    expected = {order["id"]: str(order["events"]) for order in orders}
    if notified != expected:
        differing = {id: (notified.get(id), expected.get(id)) for id in notified | expected if notified.get(id) != expected.get(id)}
        sys.exit(f"clocks: wrong number of notifications, as order: (found, expected): {differing}")



try:
    for program in PORTS:
        start(program)
    wait_until_ready()
    cross_midnight()
    for program in PORTS:
        for days in (10, -10):
            jump_service(program, days * DAY)
        log_step(f"{program}: 10 days forward and back")
    for days in (10, -10, 3):
        jump_postgres(days * DAY)
        log_step(f"Postgres: {days} days and back")
    log_step(f"all {len(orders)} orders arrived, all idempotency keys are known")
finally:
    for process in running.values():
        process.kill()
