"""Gemma's family, counted: two ways that share no code agree, and the report's numbers come out."""
from dataclasses import replace
from itertools import pairwise

import pytest

import gemma_edu as ge
from gemma_edu.lab.start_here.family import FAMILY, anatomy, layers, weights, with_experts

REPORT = {"Gemma 1 2B": (524_550_144, 1_981_884_416), "Gemma 1 7B": (786_825_216, 7_751_248_896)}      # its Table 2


def config(sizes):
    return replace(ge.GEMMA_2B, **{letter: sizes[letter] for letter in "VDLNKHF"})


@pytest.mark.parametrize("name", REPORT)
def test_the_report_counts_as_we_do(name):
    embedding, rest = REPORT[name]
    parts = anatomy(**FAMILY[name])
    assert sum(parts.values()) - parts["embedding"] == rest
    assert embedding - parts["embedding"] == 128 * FAMILY[name]["D"]      # rows that stand for no piece


@pytest.mark.parametrize("name", FAMILY)
def test_what_the_package_counts_lacks_only_the_norms_of_later_generations(name):
    sizes = FAMILY[name]
    new = {1: 0, 2: 2 * sizes["D"], 3: 2 * sizes["D"] + 2 * sizes["H"]}[sizes["generation"]]
    assert weights(**sizes) == ge.count(config(sizes)) + sizes["L"] * new


@pytest.mark.parametrize("name", FAMILY)
def test_a_models_name_is_its_size_within_a_third(name):
    called = name.split()[-1]
    number = float(called[:-1]) * {"M": 1e6, "B": 1e9}[called[-1]]
    assert abs(weights(**FAMILY[name]) / number - 1) < 0.31


def test_one_expert_is_a_dense_model_and_each_more_adds_an_mlp_and_its_column_of_the_router():
    sizes = FAMILY["Gemma 1 2B"]
    counts = [with_experts(E, **sizes) for E in (1, 2, 3, 4)]
    mlps, column = anatomy(**sizes)["MLP"], sizes["L"] * sizes["D"]
    assert counts[0] == ge.count(ge.GEMMA_2B)
    assert [b - a for a, b in pairwise(counts)] == [mlps + 2 * column, mlps + column, mlps + column]


def test_layers_alternate_in_gemma_2_and_one_in_six_is_global_in_gemma_3():
    assert set(layers(**FAMILY["Gemma 1 7B"])) == {"G"}
    assert layers(**FAMILY["Gemma 2 2B"]).count("G") == 13 and layers(**FAMILY["Gemma 2 2B"]).startswith("LGLG")
    assert layers(**FAMILY["Gemma 3 1B"]).count("G") == 4 and layers(**FAMILY["Gemma 3 1B"]).startswith("LLLLLGL")
