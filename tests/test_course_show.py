"""Two models side by side: every line in which they differ, and no other."""
from dataclasses import replace

from gemma_edu.config import GEMMA2_2B, GEMMA3_4B, GEMMA_2B, NANO
from gemma_edu.course import differences


def lines(one, other):
    return [tuple(line.split(maxsplit=1)) for line in repr(differences(one, other)).splitlines()]


def test_nothing_differs_from_itself():
    assert repr(differences(GEMMA_2B, GEMMA_2B)).split() == ["gemma-2b", "gemma-2b"]


def test_a_line_for_each_field_that_differs():
    assert lines(NANO, replace(NANO, D=128)) == [("nano", "a model"), ("D", "64    128")]
    assert [name for name, *_ in lines(GEMMA_2B, GEMMA2_2B)][1:] == [
        "D", "L", "K", "F", "block", "cap", "window", "score_cap", "logit_cap"]


def test_patterns_are_said_in_short_and_functions_by_their_names():
    said = dict(lines(GEMMA_2B, GEMMA3_4B))
    assert said["window"].split("  ")[-1].strip() == "5 × 1,024, ∞"
    assert said["stretch"].split() == ["1", "5", "×", "1,", "8"]
    assert said["mixer"].split() == ["attention", "attention_with_qk_norm"]


def test_a_fraction_keeps_its_digits():
    assert dict(lines(NANO, replace(NANO, query_scale=0.9428)))["query_scale"].split() == ["1", "0.9428"]


def test_it_is_a_table_where_tables_are_drawn():
    shown = differences(GEMMA_2B, GEMMA2_2B)._repr_mimebundle_()
    assert "| window | ∞ | 4,096, ∞ |" in shown["text/markdown"] and "window" in shown["text/plain"]
