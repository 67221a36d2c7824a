"""Rules that an OpenAPI document cannot express.

Loaded by `run` through schemathesis.toml. Changes only requests that Schemathesis believes to be valid, so that they
really are. Other requests, and the checks, are not changed.
"""

import re
import uuid

import schemathesis

LARGEST, EXACT = 2**63 - 1, 2**53
KEY, CONDITION = "Idempotency-Key", "If-Match"
ENTITY_TAGS = re.compile(r'(\*|(W/)?"[!#-~]*"([\t ]*,[\t ]*(W/)?"[!#-~]*")*)')


@schemathesis.hook
def before_call(context, case, kwargs):
    if not case.meta or not case.meta.generation.mode.is_positive:
        return
    # A key belongs to one request; a different request with the same key is refused (422).
    if case.headers.get(KEY):
        case.headers[KEY] = uuid.uuid4().hex
    # The coverage phase ignores the pattern of a header: it sends letters and digits and expects them to be valid.
    if CONDITION in case.headers and not ENTITY_TAGS.fullmatch(str(case.headers[CONDITION])):
        case.headers[CONDITION] = '"1"'
    if case.operation.label == "POST /api/orders" and isinstance(case.body, dict):
        ask_for_other_products(case.body.get("items"))


def ask_for_other_products(items):
    """Makes each productId unique. JSON Schema can only require that whole items are unique."""
    seen = set()
    for item in items or []:
        product = item["productId"]
        # 2.0 is a valid integer. Above 2^53 a floating point number is ambiguous, so the API refuses it.
        if isinstance(product, float) and product > EXACT:
            product = int(product)
        while product in seen:
            product = int(product) % LARGEST + 1
        seen.add(product)
        item["productId"] = product
