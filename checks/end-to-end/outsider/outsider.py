#!/usr/bin/env python3
"""Reads the cluster with Confluent's client, and prints what it finds as JSON.

    outsider.py layout                   the topics: partitions, replicas, in-sync replicas, settings
    outsider.py ends TOPIC               the end offset of each partition
    outsider.py read TOPIC ENDS COUNT    COUNT records from these offsets on, decoded with the registry, one per line
    outsider.py group GROUP              the members of a consumer group, and the partitions of each
    outsider.py publish TOPIC SCHEMA     publish one record for each line {"key", "type", "event"} of the input

`read` uses the writer's schema. With `--reader FILE` it reads like a program that knows only that schema.
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

# Seconds that the cluster may take for one answer, and that a reader waits for the next record.
ANSWER = 30
SILENCE = 60

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:19092,localhost:19093,localhost:19094")
REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "http://localhost:8081/apis/ccompat/v7")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("layout")
    commands.add_parser("ends").add_argument("topic")
    reading = commands.add_parser("read")
    reading.add_argument("topic")
    reading.add_argument("ends", type=json.loads)
    reading.add_argument("count", type=int)
    reading.add_argument("--reader")
    commands.add_parser("group").add_argument("group")
    publishing = commands.add_parser("publish")
    publishing.add_argument("topic")
    publishing.add_argument("schema")
    wish = parser.parse_args()
    match wish.command:
        case "layout":
            say(layout(admin()))
        case "ends":
            say(ends(wish.topic))
        case "read":
            read(wish.topic, wish.ends, wish.count, wish.reader)
        case "group":
            say(group(admin(), wish.group))
        case "publish":
            publish(wish.topic, wish.schema)


def say(value):
    json.dump(value, sys.stdout, default=in_words)
    print()


def in_words(value):
    """Converts values that JSON has no type for."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(type(value))


def admin():
    return AdminClient({"bootstrap.servers": SERVERS})


def layout(client):
    topics = client.list_topics(timeout=ANSWER).topics
    wanted = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    answers = client.describe_configs(wanted, request_timeout=ANSWER)
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


def onlooker():
    """A consumer that joins no group and commits nothing."""
    return Consumer(
        {
            "bootstrap.servers": SERVERS,
            "group.id": "onlooker",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
        }
    )


def ends(topic):
    consumer = onlooker()
    found = consumer.list_topics(topic, timeout=ANSWER).topics[topic].partitions
    result = {}
    for partition in found:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER)
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
    consumer = onlooker()
    consumer.assign([TopicPartition(topic, int(partition), end) for partition, end in begin.items()])
    seen, heard = 0, time.monotonic()
    while seen < count:
        message = consumer.poll(1)
        if message is None:
            if time.monotonic() - heard > SILENCE:
                sys.exit(f"only {seen} of {count} records arrived; no further record within {SILENCE} s")
            continue
        if message.error():
            raise KafkaException(message.error())
        heard = time.monotonic()
        seen += 1
        schema_id = int.from_bytes(message.value()[1:5], "big")
        if schema_id not in names:
            writer = json.loads(registry.get_schema(schema_id).schema_str)
            names[schema_id] = f"{writer['namespace']}.{writer['name']}"
        say(
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
    described = client.describe_consumer_groups([name], request_timeout=ANSWER)[name].result()
    return {
        "state": described.state.name,
        "members": [
            sorted(part.partition for part in member.assignment.topic_partitions) for member in described.members
        ],
    }


def publish(topic, schema):
    """Publishes records as another version of a program, or another team, would."""
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
    if producer.flush(ANSWER) or failures:
        sys.exit(f"not everything was acknowledged: {failures}")


if __name__ == "__main__":
    main()
