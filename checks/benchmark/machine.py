"""The programs of a measurement: the cluster, the services, and the CPU time of their processes."""

import json
import os
import pathlib
import subprocess
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
WORK = REPOSITORY / "target/benchmark"
CLUSTER = REPOSITORY / "deploy/cluster/cluster"
HERTZ = os.sysconf("SC_CLK_TCK")
PORTS = {"order-api": 17300, "order-jobs": 17301, "pharmacy-order": 17302, "notification": 17303}

os.environ["ORDERS_CLUSTER_DIR"] = str(WORK / "cluster")


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"benchmark: {command[0]} failed: {done.stderr or done.stdout}")
    return done.stdout


def eventually(seconds, what, test):
    deadline = time.monotonic() + seconds
    while not test():
        if time.monotonic() > deadline:
            raise SystemExit(f"benchmark: timed out waiting until: {what}")
        time.sleep(0.05)


def cpu_of(pid):
    """CPU seconds of a process and of its children that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / HERTZ


class Cluster:
    """Three brokers, a registry and Postgres, which gets these settings."""

    def __init__(self, settings=None):
        self.settings = settings or {}
        self.services = []

    def __enter__(self):
        WORK.mkdir(parents=True, exist_ok=True)
        run(CLUSTER, "up")
        for name, value in self.settings.items():
            run(CLUSTER, "psql", "-c", f"ALTER SYSTEM SET {name} = {value}")
        if self.settings:
            run(CLUSTER, "down")
            run(CLUSTER, "up")
        lines = run(CLUSTER, "env").split()
        pairs = (word.split("=", 1) for word in lines if "=" in word)
        self.env = {name: value.strip("'\"") for name, value in pairs}
        return self

    def __exit__(self, *_):
        for services in self.services:
            services.stop()
        run(CLUSTER, "clean")

    def url(self, database):
        return self.env["DATABASE_URL"].rsplit("/", 1)[0] + "/" + database

    def sql(self, statement, database="orders"):
        return run("psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(database)).strip()

    def create_topic(self, topic):
        run(CLUSTER, "kafka", "topics", "--create", "--topic", topic, "--partitions", 12, "--replication-factor", 3)

    def records(self, topic):
        offsets = run(CLUSTER, "kafka", "get-offsets", "--topic", topic).split()
        return sum(int(line.rsplit(":", 1)[1]) for line in offsets)

    def cpu(self):
        """CPU seconds of the brokers and of Postgres."""
        state = WORK / "cluster"
        brokers = sum(cpu_of((state / f"kafka{n}/pid").read_text().strip()) for n in (1, 2, 3))
        data = self.sql("SHOW data_directory")
        postmaster = int(run("head", "-n", 1, f"{data}/postmaster.pid"))
        children = run("pgrep", "-P", postmaster).split()
        postgres = cpu_of(postmaster)
        for child in children:
            try:
                postgres += cpu_of(child)
            except FileNotFoundError:
                pass
        return {"brokers": brokers, "Postgres": postgres}


class Services:
    """One instance of each service, with a database and topics of their own."""

    def __init__(self, cluster, name, programs):
        self.cluster, self.name, self.programs = cluster, name, pathlib.Path(programs).resolve()
        self.url, self.topic, self.pharmacy_topic = cluster.url(name), f"{name}-orders", f"{name}-pharmacy"
        self.processes = []
        cluster.services.append(self)
        if not cluster.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            cluster.sql(f"CREATE DATABASE {name}")

    def create_pharmacy_topic(self):
        """For order-jobs without pharmacy-order, which would create it: order-jobs is ready when it can read it."""
        self.cluster.create_topic(self.pharmacy_topic)

    def start(self, *programs, instances=1):
        topics = {"KAFKA_TOPIC": self.topic, "KAFKA_PHARMACY_TOPIC": self.pharmacy_topic}
        ports = [(program, PORTS[program] + 10 * n) for program in programs or PORTS for n in range(instances)]
        for program, port in ports:
            env = {**os.environ, **self.cluster.env, **topics, "DATABASE_URL": self.url, "RUST_LOG": "warn"}
            env["HTTP_ADDR"] = f"127.0.0.1:{port}"
            log = open(WORK / f"{self.name}-{program}.log", "a")
            process = subprocess.Popen([self.programs / program], env=env, stdout=log, stderr=log)
            self.processes.append((program, process))
        for program, port in ports:
            eventually(60, f"{program} is ready", lambda: self.is_ready(port))

    @staticmethod
    def is_ready(port):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).status == 200
        except OSError:
            return False

    def stop(self):
        for _, process in self.processes:
            process.terminate()
        for _, process in self.processes:
            process.wait()
        self.processes = []

    def cpu(self):
        """CPU seconds of each program, over all its instances."""
        seconds = dict.fromkeys((program for program, _ in self.processes), 0)
        for program, process in self.processes:
            seconds[program] += cpu_of(process.pid)
        return seconds

    def peak_memory(self):
        """Peak of the memory of each process, in MB."""
        status = lambda process: pathlib.Path(f"/proc/{process.pid}/status").read_text()
        peak = lambda process: int(status(process).split("VmHWM:")[1].split()[0]) / 1024
        return [(program, peak(process)) for program, process in self.processes]

    def sql(self, statement):
        return self.cluster.sql(statement, self.name)

    def fill_outbox(self, events):
        """Stores events like the one in the table `sample`."""
        file = REPOSITORY / "checks/fill_outbox.sql"
        run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"events={events}", "-f", file, self.url)

    def place(self, load, rate, seconds):
        """Places orders at a constant rate. Returns how many were accepted."""
        address = f"127.0.0.1:{PORTS['order-api']}"
        answers = run(load, "orders", address, "--connections", 64, "--rate", rate, "--seconds", seconds)
        number = {line.split()[0]: int(line.split()[1]) for line in answers.splitlines()}
        if set(number) != {"201"}:
            raise SystemExit(f"benchmark: not all orders were accepted: {answers}")
        return number["201"]

    def wait_until_published(self):
        """Waits until the outbox is empty."""
        url = f"http://127.0.0.1:{PORTS['order-jobs']}/api/outbox"
        read = lambda: json.load(urllib.request.urlopen(url, timeout=5))
        eventually(300, "the outbox is empty", lambda: read()["unprocessed"] == 0)

    def wait_until_received(self):
        """Waits until every order is in both read models. None is lost."""
        stored = self.sql("SELECT count(*) FROM ordering.orders")
        for table in ("pharmacy.orders", "notification.notifications"):
            eventually(120, f"{stored} rows are in {table}", lambda: self.sql(f"SELECT count(*) FROM {table}") == stored)
