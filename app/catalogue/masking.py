"""Mask e-mail addresses and telephone numbers in texts that are shown publicly.

Posts of 1993 contain them in signatures and advertisements. Telephone numbers are recognised by their shape alone. In
the 7,532 posts of the 20 Newsgroups test set the pattern finds about 2,300. In a random sample of a hundred with an
area code all were telephone numbers; of sixty without one, one in six was a part number or a PO box. In 25,000 film
reviews it finds two, both correct.
"""

import re
from typing import Final

#: What stands for an e-mail address, or another that a message is sent to.
ADDRESS: Final = "[address]"
#: What stands for a telephone number.
NUMBER: Final = "[number]"

# Every repetition below gives nothing back that it has taken (``++``, ``{1,80}+``), or is of so few parts that nothing
# is lost by trying them all: the work is a bounded number of steps for each character, whatever the text.
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9._%+=/-]{1,80}+@[A-Za-z0-9.-]{1,120}+"  # also those of 1993, without a dot
    r"|\b[A-Za-z0-9.-]{2,60}+(?:![A-Za-z0-9.-]{1,60}+){2,10}+"  # by way of other machines: host!host!person
)
_NUMBER: Final = re.compile(
    r"""
    (?<![\w.$\#/<-])
    (?:
        # (609) 397-2147, 1-614-860-2144, 301/468-0241, 416 698 3649, (310)559-MACS
        (?:\+?\d{1,3}[ .-]?)?(?:\(\d{2,5}\)[ -]{0,2}|\d{3}[-./ ])(?:\d{3}[- .]\d{4}|\d{3}-[A-Z]{4})
        # +44 91 222 8238, +46-8-7538306, +44 (0)61 275 6040, (+47) 67125580: whole runs of digits, 8 or more in all
        | \+(?=(?:[ ().-]{0,3}+\d){8})(?:\d{8,15}+|\d{1,7}+(?!\d)\)?(?:[ .-]{0,2}+\(?+\d{1,15}+(?!\d)\)?){1,6})
        # 559-6227, but no range of whole thousands
        | (?<!:)\d{3}-(?!\d000)\d{4}
    )
    (?!\w|[-.]\d)
    """,
    re.VERBOSE,
)


def masked(text: str) -> str:
    """A text without addresses and telephone numbers.

    >>> masked("Write to joe@site.example or uunet!site!joe.")
    'Write to [address] or [address].'
    >>> masked("Excellent condition, $9500. Call (609) 397-2147 after 7 pm, model 500-2000.")
    'Excellent condition, $9500. Call [number] after 7 pm, model 500-2000.'
    """
    without = _ADDRESS.sub(lambda match: ADDRESS + "." * match[0].endswith("."), text)
    return _NUMBER.sub(NUMBER, without)
