"""Prints the forms that a word can have in a dump or a log, for `grep -i -F -f`.

    marker_patterns.py WORD…

The word itself; its bytes in hexadecimal, as in a dump of Postgres; as a list of numbers, as Rust shows bytes; and in
base64, at each of the three positions.
"""

import base64
import sys

for word in sys.argv[1:]:
    encoded = word.encode()
    print(word)
    print(encoded.hex())
    print(", ".join(map(str, encoded)))
    for before in range(3):
        # Without the characters that also have bits of what stands before and after the word.
        whole = (before + len(encoded)) // 3 * 4
        print(base64.b64encode(b"\0" * before + encoded).decode()[(0, 2, 3)[before] : whole])
