"""Examples in the help of the commands within ``label-errors review``."""

from typing import Final

EXAMPLES_OF: Final = {
    "open": """\
examples:
  %(prog)s sample-digits                          all its suspects, five votes each
  %(prog)s quickdraw --sample 2500                a random sample, as in the paper
  %(prog)s mine --lowest 200 --stop category      as few votes as settle the category
  %(prog)s mine --category not_asked              what a round left open

docs/reviews.md lists all that a plan, --round, can say.
""",
    "links": """\
examples:
  %(prog)s sample-digits-1 --raters 5 --base https://labels.example
  %(prog)s sample-digits-1 --name Ada --name Grace --days 14
  %(prog)s sample-digits-1 --open
  %(prog)s sample-digits-1 --revoke Ada
""",
    "status": """\
examples:
  %(prog)s
  %(prog)s sample-digits-1 --json
""",
    "close": "example:\n  %(prog)s sample-digits-1\n",
    "reopen": "example:\n  %(prog)s sample-digits-1\n",
    "publish": """\
example:
  %(prog)s sample-digits-1

A running site picks the new verdicts up. Publishing again, later, brings in what has come since.
""",
    "votes": """\
example:
  %(prog)s sample-digits-1 --out votes.json --ratings ratings.csv
""",
    "raters": "example:\n  %(prog)s sample-digits-1\n",
    "exclude": """\
examples:
  %(prog)s sample-digits-1 "rater 3" --why "always answers a" --preview
  %(prog)s sample-digits-1 "rater 3" --why "always answers a"
""",
    "include": 'example:\n  %(prog)s sample-digits-1 "rater 3"\n',
    "forget": 'example:\n  %(prog)s sample-digits-1 "rater 3"\n',
    "report": "example:\n  %(prog)s sample-digits-1 --out report.html\n",
    "offline": "example:\n  %(prog)s sample-digits-1 --rater Ann --out ann.html\n",
    "import": "example:\n  %(prog)s sample-digits-1 answers.csv\n",
    "export": "example:\n  %(prog)s sample-digits-1 --format label-studio --out tasks.json\n",
}
