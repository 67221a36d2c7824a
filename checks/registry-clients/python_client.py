#!/usr/bin/env python3
"""Calls each method of Confluent's Python client, and its serializer and deserializer.

    python_client.py URL PREFIX

Prints one line for each call. All its subjects start with PREFIX; it deletes them at the end. It sets and removes the
global compatibility level. Fails if a call does not return what it should, or if a method was not called.
"""

import sys

from confluent_kafka.schema_registry import ConfigCompatibilityLevel, Schema, SchemaRegistryClient, ServerConfig
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

URL, PREFIX = sys.argv[1:]

ID = '{"name": "orderId", "type": "string"}'
NOTE = '{"name": "note", "type": "string", "default": ""}'
PRICE = '{"name": "price", "type": "long"}'


def record(*fields):
    return f'{{"type": "record", "name": "Order", "namespace": "checks", "fields": [{", ".join(fields)}]}}'


V1, V2, INCOMPATIBLE = (Schema(record(*fields), "AVRO") for fields in ([ID], [ID, NOTE], [ID, PRICE]))

BACKWARD = ConfigCompatibilityLevel.BACKWARD

# These methods send no request.
LOCAL = {"config", "clear_caches", "clear_latest_caches", "new_client"}

client = SchemaRegistryClient({"url": URL, "max.retries": 0})
called, failed = set(), []


def call(name, function, expected, *arguments, **options):
    """Calls a function. `expected` is its result, or a test of the result, or the (status, code) of its error."""
    client.clear_caches()
    try:
        result = function(*arguments, **options)
    except SchemaRegistryError as error:
        result = (error.http_status_code, error.error_code)
    except Exception as error:
        result = error
    try:
        fits = expected(result) if callable(expected) else result == expected
    except (AttributeError, TypeError):
        # The test expects a result, and this is an error.
        fits = False
    print(f"python: {name}: {'' if fits else 'FAILED: '}{str(result):.120}")
    if not fits:
        failed.append(name)
    return result


def method(name, expected, *arguments, **options):
    """Calls a method of the client."""
    called.add(name)
    options_text = ", ".join(f"{key}={value}" for key, value in options.items() if isinstance(value, bool))
    label = f"{name}({options_text})" if options_text else name
    return call(label, getattr(client, name), expected, *arguments, **options)


def is_version(version):
    return lambda found: getattr(found, "version", None) == version


def is_schema(schema):
    return lambda found: getattr(found, "schema_str", None) == schema.schema_str


def is_level(level):
    return lambda found: level in (getattr(found, "compatibility", None), getattr(found, "compatibility_level", None))


def is_id(found):
    return isinstance(found, int) and found > 0


def registration(subject):
    first = method("register_schema", is_id, subject, V1)
    method("register_schema", first, subject, V1, normalize_schemas=True)
    method("register_schema_full_response", lambda found: is_id(found.schema_id), subject, V2)
    method("register_schema", (409, 409), subject, INCOMPATIBLE)
    method("register_schema", (422, 42201), subject, Schema("{", "AVRO"))
    method("register_schema", (422, 42208), "nul\0", V1)
    return first


def reading(subject, first):
    method("get_schema", is_schema(V1), first)
    method("get_schema", is_schema(V1), first, subject_name=subject)
    method("get_schema", (404, 40403), 2**31 - 1)
    method("get_schema_types", ["AVRO"])
    method("get_subjects_by_schema_id", [subject], first)
    method("get_subjects_by_schema_id", [subject], first, deleted=True)
    method("get_schema_versions", lambda found: [(v.subject, v.version) for v in found] == [(subject, 1)], first)
    method("get_subjects", lambda found: subject in found)
    method("get_subjects", lambda found: subject in found, deleted=True)
    method("get_subjects", lambda found: len(found) == 1, limit=1)
    method("get_versions", [1, 2], subject)
    method("get_versions", [1, 2], subject, deleted=True)
    method("get_versions", [2], subject, offset=1)
    method("get_versions", (404, 40401), "none")
    method("get_version", is_version(1), subject, 1)
    method("get_version", is_version(2), subject, "latest", deleted=True)
    method("get_version", (404, 40402), subject, 9)
    method("get_latest_version", is_version(2), subject)
    method("get_referenced_by", [], subject, 1)
    method("lookup_schema", is_version(1), subject, V1)
    method("lookup_schema", is_version(2), subject, V2, normalize_schemas=True, deleted=True)
    method("lookup_schema", (404, 40403), subject, INCOMPATIBLE)


def compatibility(subject):
    for verbose in (False, True):
        method("test_compatibility", True, subject, V2, verbose=verbose)
        method("test_compatibility", False, subject, INCOMPATIBLE, version=1, verbose=verbose)
        method("test_compatibility_all_versions", True, subject, V1, verbose=verbose)
        method("test_compatibility_all_versions", False, subject, INCOMPATIBLE, normalize=True, verbose=verbose)


def levels(subject):
    before = method("get_compatibility", lambda level: isinstance(level, str))
    method("get_compatibility", (404, 40408), subject)
    method("set_compatibility", {"compatibility": "NONE"}, subject, "NONE")
    method("get_compatibility", "NONE", subject)
    method("set_config", {"compatibility": "BACKWARD"}, subject, ServerConfig(compatibility=BACKWARD))
    method("get_config", is_level("BACKWARD"), subject)
    method("delete_config", is_level("BACKWARD"), subject)
    method("set_compatibility", (422, 42203), subject, "SOMETIMES")
    method("set_compatibility", {"compatibility": "FULL"}, level="full")
    method("get_config", is_level("FULL"))
    method("delete_config", is_level("FULL"))
    method("get_compatibility", before)


def modes(subject):
    method("get_mode", "READWRITE", subject)
    method("get_global_mode", "READWRITE")
    method("get_contexts", ["."])


def refused(subject):
    """Features that this registry does not have. A client must learn that, and not retry."""
    method("get_schema_by_guid", (404, 404), "00000000-0000-0000-0000-000000000000")
    method("get_latest_with_metadata", (404, 404), subject, {"owner": "orders"})
    method("update_mode", (405, 405), subject, "READONLY", force=True)
    method("delete_mode", (405, 405), subject)
    method("update_global_mode", (405, 405), "READONLY")


def serialization(topic):
    order = {"orderId": "7", "note": "by hand"}
    field = SerializationContext(topic, MessageField.VALUE)
    existing = {"auto.register.schemas": False}
    unknown = SerializationContext(f"{topic}-unknown", MessageField.VALUE)

    def serialize(schema, conf, context):
        return AvroSerializer(client, schema.schema_str if schema else None, conf=conf)(order, context)

    def framed(data):
        return isinstance(data, bytes) and data[:1] == b"\0"

    first = call("AvroSerializer(auto.register.schemas=True)", serialize, framed, V1, {}, field)
    call("AvroSerializer(normalize.schemas=True)", serialize, first, V1, {"normalize.schemas": True}, field)
    call("AvroSerializer(auto.register.schemas=False)", serialize, first, V1, existing, field)
    call("AvroSerializer(auto.register.schemas=False), unknown", serialize, (404, 40401), V1, existing, unknown)
    second = call("AvroSerializer, next version", serialize, framed, V2, {}, field)
    latest = existing | {"use.latest.version": True}
    call("AvroSerializer(use.latest.version=True)", serialize, second, None, latest, field)
    for name, data, reader, expected in [
        ("AvroDeserializer", second, None, order),
        ("AvroDeserializer, older data", first, V2, order | {"note": ""}),
    ]:
        read = AvroDeserializer(client, reader.schema_str if reader else None)
        call(name, read, expected, data, field)


def deletion(subject):
    method("delete_version", 1, subject, 1)
    method("delete_version", (404, 40406), subject, 1)
    method("get_versions", [2], subject)
    method("get_versions", [1, 2], subject, deleted=True)
    method("delete_version", 1, subject, 1, permanent=True)
    method("delete_subject", (404, 40405), subject, permanent=True)
    method("delete_subject", [2], subject)
    method("delete_subject", [2], subject, permanent=True)


def main():
    subject = f"{PREFIX}-client"
    first = registration(subject)
    reading(subject, first)
    compatibility(subject)
    levels(subject)
    modes(subject)
    refused(subject)
    serialization(f"{PREFIX}-orders")
    deletion(subject)
    method("delete_subject", [1, 2], f"{PREFIX}-orders-value")
    method("delete_subject", [1, 2], f"{PREFIX}-orders-value", permanent=True)
    method("get_subjects", lambda found: not any(name.startswith(PREFIX) for name in found), deleted=True)

    methods = {name for name in vars(SchemaRegistryClient) if not name.startswith("_")}
    if missing := methods - LOCAL - called:
        sys.exit(f"python: these methods are not called: {', '.join(sorted(missing))}")
    if failed:
        sys.exit(f"python: {len(failed)} calls failed: {'; '.join(failed)}")


main()
