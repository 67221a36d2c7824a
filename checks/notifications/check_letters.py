"""Checks that each event's letter has arrived, once except after kills and lost answers, and in sequence for each order.

    check_letters.py ORDERS ACTIONS MAILS KILLS IN_FLIGHT

ORDERS, ACTIONS and MAILS are the output of place_orders.py, work_on_orders.py and failing_mail_server.py. KILLS has one
line for each kill of an instance: when, in seconds since 1970. IN_FLIGHT is the maximum number of letters that an
instance sends at the same time.
"""

import sys
from collections import Counter, defaultdict

from figures import describe, read_lines, seconds
from letters import arrived

LANGUAGES = ("en", "de", "fr")
KINDS = ("received", "confirmed", "ready", "completed")
KIND_OF_ACTION = {"confirm": "confirmed", "ready": "ready", "dispense": "completed"}
# How long before a kill a letter may have arrived so that its result was not stored at the kill, and how long after a kill
# the mail server may read what was sent before it.
UNSETTLED_SECONDS, UNREAD_SECONDS = 10, 2

orders, actions, mails, kills_path, in_flight = sys.argv[1:]
placed = {line["order"]: line for line in read_lines(orders)}
worked_on = {line["order"] for line in read_lines(actions)}
with open(kills_path, encoding="utf-8") as file:
    kills = [float(line) for line in file]
letters = arrived(mails)
attempts = Counter(line["how"] for line in read_lines(mails))
problems = []

# --- None is lost, and each has one id ---------------------------------------------------------------------------

expected = {(order, "received") for order in placed}
expected |= {(line["order"], KIND_OF_ACTION[line["action"]]) for line in read_lines(actions) if line["action"] in KIND_OF_ACTION}
by_event, by_id = defaultdict(list), defaultdict(list)
for letter in letters:
    by_event[letter.order, letter.kind].append(letter)
    by_id[letter.id].append(letter)
missing, unexpected = expected - by_event.keys(), by_event.keys() - expected
if missing:
    problems.append(f"{len(missing)} letters are lost, such as {min(missing)}")
if unexpected:
    problems.append(f"{len(unexpected)} letters about nothing that happened, such as {min(unexpected)}")
for event, found in by_event.items():
    if len({letter.id for letter in found}) > 1:
        problems.append(f"letters about {event} have different ids: {[letter.id for letter in found]}")
for letter_id, found in by_id.items():
    if len({(letter.order, letter.kind) for letter in found}) > 1:
        problems.append(f"letters about different events have the id {letter_id}")

# --- Each goes to its customer, in the customer's language --------------------------------------------------------

for letter in letters:
    if customer := placed.get(letter.order, {}).get("customer"):
        prefix, number = customer.rsplit("-", 1)
        if (letter.to, letter.language) != (f"{customer}@{prefix}.example", LANGUAGES[int(number) % 3]):
            problems.append(f"a letter for {customer} went to {letter.to} in {letter.language}")

# --- Those that came twice are explained --------------------------------------------------------------------------

lost_answers = attempts["answer lost"]
twice = sum(len(found) - 1 for found in by_id.values())
unexplained = {
    letter_id: more
    for letter_id, found in by_id.items()
    if (more := len(found) - 1 - sum(letter.how == "answer lost" for letter in found)) > 0
}
after_kills = sum(unexplained.values())
limit = int(in_flight) * len(kills)
if after_kills > limit:
    problems.append(f"{after_kills} letters came again without a lost answer; {len(kills)} kills explain at most {limit}")
for letter_id in unexplained:
    earlier = [letter.at for letter in by_id[letter_id][:-1]]
    if not any(kill - UNSETTLED_SECONDS <= at <= kill + UNREAD_SECONDS for at in earlier for kill in kills):
        problems.append(f"{letter_id} came {len(by_id[letter_id])} times without a lost answer, and not at a kill")

# --- The letters of an order are in sequence ------------------------------------------------------------------------

in_sequence = 0
for order in worked_on:
    first = [min((letter.at for letter in by_event[order, kind]), default=0) for kind in KINDS]
    if first == sorted(first):
        in_sequence += 1
    else:
        problems.append(f"letters about {order} came in the wrong sequence: {dict(zip(KINDS, first))}")

# --- Figures --------------------------------------------------------------------------------------------------------

failed = sum(attempts.values()) - attempts["accepted"]
print(f"    {len(placed)} orders, {len(expected)} letters, {len(by_id)} have arrived")
print(f"    {sum(attempts.values())} attempts, {failed} failed: "
      + ", ".join(f"{count} {how}" for how, count in sorted(attempts.items()) if how != "accepted"))
print(f"    {len(kills)} kills; {twice} letters came twice: {twice - after_kills} after a lost answer, "
      f"{after_kills} after a kill (at most {limit})")
print(f"    {in_sequence} of {len(worked_on)} orders with several letters have them in sequence")
first_letters = [min(letter.at for letter in by_event[order, "received"]) - seconds(line["createdAt"])
                 for order, line in placed.items() if (order, "received") in by_event]
print(f"    from the order to its letter: {describe(first_letters)}")
for problem in problems[:20]:
    print(f"    PROBLEM: {problem}")
sys.exit(f"{len(problems)} problems" if problems else 0)
