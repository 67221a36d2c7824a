"""Rules that an OpenAPI document cannot express.

Loaded by `run` through schemathesis.toml. Also makes Hypothesis faster, without other results. Changes only requests that Schemathesis generates as valid ones, so that
they also follow these rules. Other requests, and the checks, are not changed.
"""

import re
import uuid

import schemathesis
from hypothesis.strategies._internal import regex
from hypothesis.strategies._internal.lazy import unwrap_strategies

MAX_INT64, MAX_EXACT_DOUBLE = 2**63 - 1, 2**53
IDEMPOTENCY_KEY, IF_MATCH = "Idempotency-Key", "If-Match"
ENTITY_TAGS = re.compile(r'(\*|(,[\t ,]*)?(W/)?"[!#-~]*"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*([\t ]*,)*)')


@schemathesis.hook
def before_call(context, case, kwargs):
    if not case.meta or not case.meta.generation.mode.is_positive:
        return
    # A key belongs to one request; a different request with the same key is refused (422).
    if case.headers.get(IDEMPOTENCY_KEY):
        case.headers[IDEMPOTENCY_KEY] = uuid.uuid4().hex
    # The coverage phase ignores the pattern of a header: it sends letters and digits and expects them to be valid.
    if IF_MATCH in case.headers and not ENTITY_TAGS.fullmatch(str(case.headers[IF_MATCH])):
        case.headers[IF_MATCH] = '"1"'
    if case.operation.label == "POST /api/orders" and isinstance(case.body, dict):
        make_products_unique(case.body.get("items"))
    # The rules for the address of a webhook depend on the settings of the service.
    if case.operation.path.startswith("/api/webhooks") and isinstance(case.body, dict) and "url" in case.body:
        case.body["url"] = "http://127.0.0.1:9/hook"


def make_products_unique(items):
    """Makes each productId unique. JSON Schema can only require that whole items are unique."""
    used = set()
    for item in items or []:
        product = item["productId"]
        # 2.0 is a valid integer. Above 2^53 a floating point number is ambiguous, so the API refuses it.
        if isinstance(product, float) and product > MAX_EXACT_DOUBLE:
            product = int(product)
        while product in used:
            product = int(product) % MAX_INT64 + 1
        used.add(product)
        item["productId"] = product


def compile_once(compile_pattern):
    """Keeps compiled patterns. Without it Hypothesis compiles each pattern again for each request, character by
    character: those of the API have 140,000, and took nine tenths of the time."""
    compiled = {}

    def from_cache(pattern, *, parsed=None, alphabet):
        key = pattern, None if alphabet is None else unwrap_strategies(alphabet).intervals
        if key not in compiled:
            compiled[key] = compile_pattern(pattern, parsed=parsed, alphabet=alphabet)
        return compiled[key]

    return from_cache


regex.base_regex_strategy = compile_once(regex.base_regex_strategy)
