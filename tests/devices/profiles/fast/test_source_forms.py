"""Which forms a source's messages are tried with, and in which order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.fast.source_forms import FORMS_A_SOURCE, SourceForms


def order_of(forms: SourceForms, source: int) -> list[int]:
    """The forms of a source as they are tried."""
    asked = np.array([source], np.int32)
    tried = [int(forms.at(rank, asked)[0]) for rank in range(FORMS_A_SOURCE)]
    return [form for form in tried if form >= 0]


def test_a_source_is_tried_with_as_many_forms_as_it_had_and_no_more_than_four() -> None:
    forms = SourceForms()
    for form in (7, 8, 9, 7, 10, 11):
        forms.has(300, form, 0)
    assert order_of(forms, 300) == [7, 8, 9, 11]
    assert order_of(forms, 299) == order_of(forms, -1) == []


def test_a_later_form_that_fits_twice_in_a_row_is_tried_first_from_then_on() -> None:
    forms, source = SourceForms(), np.array([5], np.int32)
    for form in (1, 2, 3):
        forms.has(5, form, 0)
    forms.fits(2, source)
    forms.fits(0, source)
    forms.fits(2, source)
    assert order_of(forms, 5) == [1, 2, 3]
    forms.fits(2, source)
    assert order_of(forms, 5) == [3, 2, 1]


def test_a_source_that_is_somebody_else_now_has_no_forms() -> None:
    forms = SourceForms()
    for source in (3, 4):
        forms.has(source, 1, 9)
        forms.has(source, 2, 9)
    forms.forget([3, 1_000])
    assert order_of(forms, 3) == []
    assert order_of(forms, 4) == [1, 2]
    names = forms.names(np.array([3, 4], np.int32))
    assert names is not None and names.tolist() == [0, 9]


@given(
    st.lists(
        st.tuples(st.sampled_from(["has", "drop", "met"]), st.integers(0, 3), st.integers(0, 8)), max_size=60
    )
)
def test_no_form_stands_twice_and_what_follows_a_dropped_one_moves_up(
    steps: list[tuple[str, int, int]],
) -> None:
    forms = SourceForms()
    for what, source, form in steps:
        if what == "drop":
            before = {one: order_of(forms, one) for one in range(4)}
            forms.drop(form)
            for one, tried in before.items():
                assert order_of(forms, one) == [other for other in tried if other != form]
        elif what == "met":
            forms.met(source, form)
        else:
            forms.has(source, form, 0)
            assert form in order_of(forms, source)
        for one in range(4):
            tried = order_of(forms, one)
            assert len(tried) == len(set(tried))
            assert int(forms.at(len(tried), np.array([one], np.int32))[0]) < 0 if len(tried) < 4 else True
