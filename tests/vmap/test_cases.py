"""vmap of every function of the standard, `special` and `scipy`: a stack of single calls."""

import warnings

import pytest

from conformance import batches
from conformance.batches import CHECKS, PLACES, NothingToCompareError, Trial
from conformance.gradient_cases import CASES

FUNCTIONS = {}
for _case in CASES:
    FUNCTIONS.setdefault(_case.function, []).append(_case)

#: Functions that take long, of which one case of each kind is enough for derivatives.
DERIVATIVES = [check for check in CHECKS if check != "values"]


def right(case, check, place="first", shared=frozenset()):
    """Check a batch; return False if it is refused."""
    try:
        CHECKS[check](Trial(case, place, shared))
    except NothingToCompareError:
        pass
    except Exception as error:
        if not batches.refusal(error):
            raise
        return False
    return True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_batch_is_the_stack_of_its_examples(function):
    for i, case in enumerate(FUNCTIONS[function]):
        sharings = batches.sharings(case)
        right(case, "values", PLACES[i % 3])
        right(case, "values", shared=sharings[i % len(sharings)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_derivatives_of_a_batch_are_those_of_its_examples(function):
    cases = FUNCTIONS[function]
    for i, check in enumerate(DERIVATIVES):
        case = cases[i % len(cases)]
        sharings = batches.sharings(case)
        right(case, check, PLACES[i % 3])
        right(case, check, shared=sharings[(i + 1) % len(sharings)])


def test_most_functions_are_performed_on_the_whole_batch():
    counts = {"native": 0, "loop": 0, "refused": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cases in FUNCTIONS.values():
            kinds = set()
            for case in cases[:2]:
                with batches.looped() as loops:
                    kinds.add("native" if right(case, "values") else "refused")
                if loops:
                    kinds.add("loop")
            counts[min(kinds, key=["loop", "refused", "native"].index)] += 1
    assert counts["native"] >= 0.95 * len(FUNCTIONS), counts
