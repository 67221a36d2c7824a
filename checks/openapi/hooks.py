"""What Schemathesis cannot take from a document, because no document can say it.

Loaded by `run` through schemathesis.toml. It changes requests that are meant to be valid, so that they are; no other
request, and no check.
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
    # A key belongs to one request, so another request with the same one is refused (422). A document can say that
    # only in words.
    if case.headers.get(KEY):
        case.headers[KEY] = uuid.uuid4().hex
    # The coverage phase makes headers of letters and digits alone and takes them for valid, whatever their pattern is.
    if CONDITION in case.headers and not ENTITY_TAGS.fullmatch(str(case.headers[CONDITION])):
        case.headers[CONDITION] = '"1"'
    if case.operation.label == "POST /api/orders" and isinstance(case.body, dict):
        ask_for_other_products(case.body.get("items"))


def ask_for_other_products(items):
    """JSON Schema can ask for unique items, not for items of which one member is unique."""
    seen = set()
    for item in items or []:
        product = item["productId"]
        # 2.0 is an integer. From 2^53 on, a number with a point may stand for several, and is refused.
        if isinstance(product, float) and product > EXACT:
            product = int(product)
        while product in seen:
            product = int(product) % LARGEST + 1
        seen.add(product)
        item["productId"] = product
