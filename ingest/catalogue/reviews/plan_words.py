"""The examples that a plan chooses, in words for readers and for who opens the round."""

from collections import Counter
from collections.abc import Iterator

from ingest.catalogue.reviews.plan import RoundPlan


def in_words(plan: RoundPlan, found: int) -> str:
    """Which examples a plan has chosen, of which it ``found`` so many.

    >>> in_words(RoundPlan(lowest=20), 20), in_words(RoundPlan(lowest=20), 12)
    ('the 20 most suspicious examples', 'all suspects')
    >>> in_words(RoundPlan(examples=(7, 3, 7)), 2)
    '2 chosen examples'
    """
    of = f" labelled {plan.class_}" if plan.class_ else ""
    of += f" counted as {plan.category.value.replace('_', '-')}" if plan.category else ""
    if plan.examples:
        return f"{found:,} chosen example{'s' if found != 1 else ''}"
    if plan.lowest and plan.lowest <= found:
        return f"the {plan.lowest:,} most suspicious examples{of}"
    if plan.sample and plan.sample <= found:
        return f"{plan.sample:,} suspects{of} at random (seed {plan.seed})"
    return f"all suspects{of}"


def fewer_told(plan: RoundPlan, found: int) -> Iterator[str]:
    """Where a plan asks for more examples than it ``found``: how many there are.

    >>> list(fewer_told(RoundPlan(sample=100), 44))
    ['sample = 100: 44, all there are']
    >>> list(fewer_told(RoundPlan(examples=(7, 3, 7)), 2))
    ['examples: 7 is listed more than once; it is asked about as one example']
    """
    for name, wanted in (("lowest", plan.lowest), ("sample", plan.sample)):
        if wanted and wanted > found:
            yield f"{name} = {wanted:,}: {found:,}, all there are"
    several = [str(idx) for idx, n in Counter(plan.examples).items() if n > 1]
    if several:
        more = f" and {len(several) - 3:,} more are" if len(several) > 3 else " are" if len(several) > 1 else " is"
        them = "each is asked about as one example" if len(several) > 1 else "it is asked about as one example"
        yield f"examples: {', '.join(several[:3])}{more} listed more than once; {them}"
