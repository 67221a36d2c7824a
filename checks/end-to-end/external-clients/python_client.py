#!/usr/bin/env python3
"""Reads the topic and the groups of the cluster with Confluent's client. Prints JSON.

    python_client.py layout                   the topics: partitions, replicas, in-sync replicas, settings
    python_client.py ends TOPIC               the end offset of each partition
    python_client.py read TOPIC ENDS COUNT    COUNT records from these offsets on, decoded with the registry, one per line
    python_client.py group GROUP              the members of a consumer group, and the partitions of each
    python_client.py publish TOPIC SCHEMA     publish one record for each line {"key", "type", "event"} of the input

`read` decodes with the writer's schema. With `--reader FILE`, that file is the reader's schema.
Needs KAFKA_BOOTSTRAP_SERVERS and SCHEMA_REGISTRY_URL.
"""

import argparse
import datetime
import json
import os
import sys
import time
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

# Timeouts in seconds: of a request to the cluster, and until the next record arrives.
REQUEST_TIMEOUT = 30
RECORD_TIMEOUT = 60

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:19092,localhost:19093,localhost:19094")
REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "http://localhost:8081/apis/ccompat/v7")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("layout")
    commands.add_parser("ends").add_argument("topic")
    read_parser = commands.add_parser("read")
    read_parser.add_argument("topic")
    read_parser.add_argument("ends", type=json.loads)
    read_parser.add_argument("count", type=int)
    read_parser.add_argument("--reader")
    commands.add_parser("group").add_argument("group")
    publish_parser = commands.add_parser("publish")
    publish_parser.add_argument("topic")
    publish_parser.add_argument("schema")
    arguments = parser.parse_args()
    match arguments.command:
        case "layout":
            print_json(layout(admin()))
        case "ends":
            print_json(ends(arguments.topic))
        case "read":
            read(arguments.topic, arguments.ends, arguments.count, arguments.reader)
        case "group":
            print_json(group(admin(), arguments.group))
        case "publish":
            publish(arguments.topic, arguments.schema)


def print_json(value):
    json.dump(value, sys.stdout, default=to_json)
    print()


def to_json(value):
    """Converts values that have no JSON type."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(type(value))


def admin():
    return AdminClient({"bootstrap.servers": SERVERS})


def layout(client):
    topics = client.list_topics(timeout=REQUEST_TIMEOUT).topics
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    answers = client.describe_configs(resources, request_timeout=REQUEST_TIMEOUT)
    settings = {resource.name: answer.result() for resource, answer in answers.items()}
    return {
        name: {
            "partitions": [
                {"leader": part.leader, "replicas": part.replicas, "inSync": part.isrs}
                for part in topic.partitions.values()
            ],
            "settings": {key: entry.value for key, entry in settings[name].items()},
        }
        for name, topic in topics.items()
    }


def consumer_without_group():
    """A consumer that joins no group and commits nothing."""
    return Consumer(
        {
            "bootstrap.servers": SERVERS,
            "group.id": "unused",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
        }
    )


def ends(topic):
    consumer = consumer_without_group()
    found = consumer.list_topics(topic, timeout=REQUEST_TIMEOUT).topics[topic].partitions
    result = {}
    for partition in found:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=REQUEST_TIMEOUT)
        result[partition] = end
    consumer.close()
    return result


def read(topic, begin, count, reader):
    registry = SchemaRegistryClient({"url": REGISTRY})
    schema = None
    if reader:
        with open(reader, encoding="utf-8") as file:
            schema = file.read()
    decode = AvroDeserializer(registry, schema)
    names = {}
    consumer = consumer_without_group()
    consumer.assign([TopicPartition(topic, int(partition), end) for partition, end in begin.items()])
    received, last_arrival = 0, time.monotonic()
    while received < count:
        message = consumer.poll(1)
        if message is None:
            if time.monotonic() - last_arrival > RECORD_TIMEOUT:
                sys.exit(f"only {received} of {count} records arrived; no further record within {RECORD_TIMEOUT} s")
            continue
        if message.error():
            raise KafkaException(message.error())
        last_arrival = time.monotonic()
        received += 1
        schema_id = int.from_bytes(message.value()[1:5], "big")
        if schema_id not in names:
            writer = json.loads(registry.get_schema(schema_id).schema_str)
            names[schema_id] = f"{writer['namespace']}.{writer['name']}"
        print_json(
            {
                "partition": message.partition(),
                "offset": message.offset(),
                "key": message.key().decode(),
                "headers": {key: value.decode() for key, value in message.headers() or []},
                "schemaId": schema_id,
                "record": names[schema_id],
                "event": decode(message.value(), SerializationContext(topic, MessageField.VALUE)),
            }
        )
    consumer.close()


def group(client, name):
    described = client.describe_consumer_groups([name], request_timeout=REQUEST_TIMEOUT)[name].result()
    return {
        "state": described.state.name,
        "members": [
            sorted(part.partition for part in member.assignment.topic_partitions) for member in described.members
        ],
    }


def publish(topic, schema):
    """Publishes records with this version of a schema, such as those of an older program."""
    with open(schema, encoding="utf-8") as file:
        encode = AvroSerializer(
            SchemaRegistryClient({"url": REGISTRY}),
            file.read(),
            conf={"auto.register.schemas": False, "subject.name.strategy": topic_record_subject_name_strategy},
        )
    producer = Producer({"bootstrap.servers": SERVERS, "partitioner": "murmur2_random", "acks": "all"})
    context = SerializationContext(topic, MessageField.VALUE)
    failures = []
    for line in sys.stdin:
        record = json.loads(line)
        event = record["event"]
        event["occurredAt"] = datetime.datetime.fromisoformat(event["occurredAt"])
        producer.produce(
            topic,
            key=record["key"],
            value=encode(event, context),
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
    if producer.flush(REQUEST_TIMEOUT) or failures:
        sys.exit(f"some records were not acknowledged: {failures}")


if __name__ == "__main__":
    main()
