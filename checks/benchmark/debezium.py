"""Debezium's outbox event router, which publishes an outbox by reading the log of Postgres."""

import json
import subprocess
import urllib.request

from machine import REPOSITORY, WORK, cpu_of, eventually, run

HERE = REPOSITORY / "checks/benchmark/debezium"
LIBRARIES = REPOSITORY / "target/benchmark-debezium"
STATUS = "http://127.0.0.1:17310/connectors/outbox/status"
EVENT_ROUTER = {
    "transforms": "outbox",
    "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
    "transforms.outbox.table.field.event.id": "event_id",
    "transforms.outbox.table.field.event.key": "order_id",
    "transforms.outbox.table.field.event.payload": "payload",
    "transforms.outbox.table.fields.additional.placement": "event_type:header,headers:header",
    "transforms.outbox.route.by.field": "event_type",
}
# Larger batches than by default, so that a backlog is read as fast as possible.
LARGE_BATCHES = {"max.batch.size": "10240", "max.queue.size": "40960"}


class Debezium:
    """Kafka Connect with Debezium on the outbox of these services, publishing to `topic`. Postgres needs wal_level=logical."""

    def __init__(self, services, topic):
        if not LIBRARIES.exists():
            run("mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies",
                f"-DoutputDirectory={LIBRARIES}.new")
            (LIBRARIES.parent / f"{LIBRARIES.name}.new").rename(LIBRARIES)
        # The outbox has partitions; Debezium is to see them as one table.
        services.sql("CREATE PUBLICATION debezium FOR TABLE ordering.outbox"
                     " WITH (publish = 'insert', publish_via_partition_root = true)")
        postgres = urllib.request.urlparse(services.cluster.env["DATABASE_URL"])
        connector = {
            "name": "outbox", "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": postgres.hostname, "database.port": str(postgres.port),
            "database.user": postgres.username, "database.password": postgres.password,
            "database.dbname": services.name, "topic.prefix": services.name, "plugin.name": "pgoutput",
            "publication.name": "debezium", "publication.autocreate.mode": "disabled", "slot.name": "debezium",
            "table.include.list": "ordering.outbox", "snapshot.mode": "no_data",
            "transforms.outbox.route.topic.replacement": topic, **EVENT_ROUTER, **LARGE_BATCHES,
        }
        (WORK / "connector.json").write_text(json.dumps({"name": "outbox", "config": connector}))
        # Those of an earlier run are positions in another log.
        offsets = WORK / "debezium-offsets"
        offsets.unlink(missing_ok=True)
        properties = (HERE / "worker.properties").read_text() + f"offset.storage.file.filename={offsets}\n"
        (WORK / "worker.properties").write_text(properties)
        self.process = subprocess.Popen(
            ["java", "-Xmx1g", "-cp", f"{LIBRARIES}/*", "org.apache.kafka.connect.cli.ConnectStandalone",
             WORK / "worker.properties", WORK / "connector.json"],
            stdout=open(WORK / "debezium.log", "w"), stderr=subprocess.STDOUT)
        active = "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'debezium' AND active"
        try:
            eventually(90, "Debezium reads the log of Postgres", lambda: services.sql(active))
        except SystemExit:
            self.stop()
            raise

    def check(self):
        """Fails if the connector has failed."""
        status = json.load(urllib.request.urlopen(STATUS, timeout=5))
        if [task["state"] for task in status["tasks"]] != ["RUNNING"]:
            raise SystemExit(f"benchmark: Debezium does not run: {status}")

    def cpu(self):
        return {"Debezium": cpu_of(self.process.pid)}

    def stop(self):
        self.process.terminate()
        self.process.wait()
