"""`tapeline gradcheck`: what it prints, what it returns, and that it finds a wrong gradient in a task's network."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from pipelines import catalogue
from pipelines.models.tabular import mlp
from pipelines.task import Architecture, Network

from .tables import loans
from .test_bad_input import one_line

TASK = "medical_imaging/breast-cancer"
SMALL = ("--set", "recipe.width=6", "--rows", "4")


@tf.custom_gradient
def too_steep(values):
    return values, lambda upstream: 1.01 * upstream


def steep_mlp(train, objective, recipe):
    """The usual network, but its hidden units hand back a gradient that is 1 % too large."""
    import keras

    class Steep(keras.layers.Layer):
        def call(self, inputs):
            return too_steep(inputs)

    usual = mlp(train, objective, recipe)
    hidden, *_, last = usual.core.layers[1:]
    inputs = keras.Input(usual.encode.output_shape[1:])
    return Architecture(usual.encode, keras.Model(inputs, last.__class__(1, name="last")(Steep()(hidden(inputs)))))


@pytest.fixture
def broken(monkeypatch):
    """The task with a second network, whose gradient is wrong."""
    task = catalogue.find(TASK)
    task = replace(task, networks=(*task.networks, Network("steep", steep_mlp)))
    monkeypatch.setattr("pipelines.catalogue.find", lambda name: task)


@pytest.mark.parametrize("width", [60, 120])
def test_it_shows_each_variable_and_says_what_was_found(width, tapeline, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    ended = tapeline("gradcheck", TASK, *SMALL)
    assert (ended.code, ended.err) == (0, "")
    assert max(map(len, ended.out.splitlines())) <= width
    assert ended.out.count("kernel") == ended.out.count("bias") == 3
    assert "The tape equals central differences" in " ".join(ended.out.split())
    assert list(folder.iterdir()) == []


def numbers(printed):
    """The document without the names of layers, which Keras numbers on through a process."""
    document = json.loads(printed)
    return {
        **document,
        "networks": [[{**each, "layer": ""} for each in network["layers"]] for network in document["networks"]],
    }


def test_json_is_one_document_that_the_seed_decides(tapeline, folder):
    first, again, other = (tapeline("gradcheck", TASK, *SMALL, "--seed", str(seed), "--json").out for seed in (3, 3, 4))
    assert numbers(first) == numbers(again)
    assert numbers(first)["networks"] != numbers(other)["networks"]
    found = json.loads(first)
    network = found["networks"][0]
    assert (found["task"], found["seed"], found["rows"], found["passed"]) == (TASK, 3, 4, True)
    assert network["name"] == "mlp"
    assert network["parameters"] == sum(layer["size"] for layer in network["layers"])
    assert [layer["entries"] for layer in network["layers"]] == [20, 6, 20, 6, 6, 1]
    assert all(layer["error"] < 1e-6 for layer in network["layers"])


def test_the_penalty_of_the_recipe_is_checked_too(tapeline, folder):
    plain, penalised = (
        json.loads(tapeline("gradcheck", TASK, *SMALL, "--json", "--set", f"recipe.l2={l2}").out) for l2 in (0, 3)
    )
    norms = np.array([[layer["tape_norm"] for layer in each["networks"][0]["layers"]] for each in (plain, penalised)])
    kernels, biases = norms[:, ::2], norms[:, 1::2]
    assert penalised["passed"]
    assert (kernels[0] != kernels[1]).all()
    np.testing.assert_allclose(biases[0], biases[1])


def test_label_smoothing_and_class_weights_are_part_of_the_loss(tapeline, folder):
    changes = ((), ("--set", "recipe.label_smoothing=0.2"), ("--set", "recipe.class_weights=balanced"))
    found = [json.loads(tapeline("gradcheck", TASK, *SMALL, "--rows", "6", "--json", *each).out) for each in changes]
    norms = [[layer["tape_norm"] for layer in each["networks"][0]["layers"]] for each in found]
    assert all(each["passed"] for each in found)
    assert all(not np.isclose(norms[0], each).any() for each in norms[1:])


def test_a_wrong_gradient_is_named_and_the_exit_code_is_1(tapeline, folder, broken):
    ended = tapeline("gradcheck", TASK, *SMALL)
    assert ended.code == 1
    assert ended.err.startswith(f"error the gradient of {TASK} is wrong in ")
    assert ended.err.count(" of steep") == 2
    assert "of mlp" not in ended.err
    assert "wrong" in ended.out
    assert "in 2 of 4 variables" in " ".join(ended.out.split())


def test_a_wrong_gradient_fails_in_json_too(tapeline, folder, broken):
    ended = tapeline("gradcheck", TASK, *SMALL, "--json")
    found = json.loads(ended.out)
    assert ended.code == 1
    assert not found["passed"]
    assert [network["passed"] for network in found["networks"]] == [True, False]
    assert [layer["passed"] for layer in found["networks"][1]["layers"]] == [False, False, True, True]


def test_it_checks_the_network_on_a_table_of_the_users_own(tapeline, folder):
    loans().to_csv("loans.csv", index=False)
    own = ("--data", "loans.csv", "--target", "defaulted", "--sensitive", "sex", "--json", "--quiet")
    ended = tapeline("gradcheck", "finance/credit-default", *own, *SMALL)
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["passed"]


BAD = {
    "too many rows": (("--rows", "5000"), "--rows 5000: there are"),
    "no rows": (("--rows", "0"), "--rows"),
    "missing file": (("--data", "d.csv", "--target", "y"), "there is no file d.csv"),
    "unknown key": (("--set", "recipe.wdth=3"), "did you mean recipe.width?"),
    "unknown flag": (("--row", "3"), "`tapeline gradcheck --help`"),
}


@pytest.mark.parametrize("case", BAD)
def test_wrong_usage_is_named(case, tapeline, folder):
    arguments, expected = BAD[case]
    one_line(tapeline("gradcheck", TASK, *arguments), expected)


def test_a_task_that_is_not_there_is_named(tapeline, folder):
    one_line(tapeline("gradcheck", "medical_imaging/breast-cancr"), "did you mean")
