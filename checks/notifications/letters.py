"""Letters, as the mail servers of this check write them down."""

import re
from email import message_from_string, policy

from figures import read_lines

# The beginning of each subject. The rest is the same in all languages: the id of the order.
SUBJECTS = {
    "received": r"We have received your order|Wir haben Ihre Bestellung \S+ erhalten|Nous avons bien reçu votre commande",
    "confirmed": r"Your order \S+ is confirmed|Ihre Bestellung \S+ ist bestätigt|Votre commande \S+ est confirmée",
    "ready": r"Your order \S+ is ready|Ihre Bestellung \S+ liegt bereit|Votre commande \S+ est prête",
    "completed": r"Thank you for your order|Vielen Dank für Ihre Bestellung|Merci pour votre commande",
}
ORDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Letter:
    """A letter that has arrived."""

    def __init__(self, line):
        head = message_from_string(line["head"].replace("\r\n", "\n") + "\n\n", policy=policy.default)
        subject = head["Subject"]
        kinds = [kind for kind, pattern in SUBJECTS.items() if re.match(pattern, subject)]
        if len(kinds) != 1 or not (order := ORDER.search(subject)):
            raise SystemExit(f"unknown letter: {subject}")
        self.kind, self.order = kinds[0], order[0]
        self.id, self.language = head["Message-ID"], head["Content-Language"]
        self.at, self.to, self.how = line["at"], line["to"], line["how"]


def arrived(path):
    """The letters that have arrived, in sequence."""
    return [Letter(line) for line in read_lines(path) if "head" in line]
