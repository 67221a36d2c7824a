#!/usr/bin/env python3
"""Changes a topic as operators and other programs do.

    change_topic.py delete-all TOPIC    delete all records
    change_topic.py transaction TOPIC   write to every partition in a transaction, and abort it
"""

import os
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

SERVERS = os.environ["KAFKA_BOOTSTRAP_SERVERS"]


def partitions(topic):
    return AdminClient({"bootstrap.servers": SERVERS}).list_topics(topic, timeout=30).topics[topic].partitions


def end_offset(topic, partition):
    consumer = Consumer({"bootstrap.servers": SERVERS, "group.id": "unused"})
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)[1]
    finally:
        consumer.close()


def delete_all(topic):
    admin = AdminClient({"bootstrap.servers": SERVERS})
    ends = [TopicPartition(topic, partition, end_offset(topic, partition)) for partition in partitions(topic)]
    for deleted in admin.delete_records(ends).values():
        deleted.result(30)


def abort_transaction(topic):
    producer = Producer({"bootstrap.servers": SERVERS, "transactional.id": "change-topic"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for partition in partitions(topic):
        producer.produce(topic, b"aborted", partition=partition)
    producer.flush(30)
    producer.abort_transaction(30)


match sys.argv[1:]:
    case ["delete-all", topic]:
        delete_all(topic)
    case ["transaction", topic]:
        abort_transaction(topic)
    case _:
        sys.exit(__doc__)
