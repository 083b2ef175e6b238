"""`--set key=value`: what may be set, and what is refused with the keys or values that would be right."""

import pytest

from pipelines import settings
from pipelines.errors import BadInput
from pipelines.task import Protocol, Recipe

KEYS = settings.keys()


def apply(*assignments):
    return settings.apply(assignments, Recipe(), Protocol())


def test_values_take_the_type_of_their_field():
    recipe, protocol = apply(
        "recipe.epochs=5", "recipe.learning_rate=1e-4", "recipe.optimiser=sgd", " recipe.plan = resident ",
        "protocol.kind=cross-validation", "protocol.folds=3", "protocol.test=0.3", "recipe.monitor=score",
    )  # fmt: skip
    assert (recipe.epochs, recipe.learning_rate, recipe.optimiser, recipe.plan) == (5, 1e-4, "sgd", "resident")
    assert recipe.monitor == "score"
    assert (protocol.kind, protocol.folds, protocol.test) == ("cross-validation", 3, 0.3)
    assert recipe.batch_size == Recipe().batch_size
    assert apply() == (Recipe(), Protocol())


def test_every_field_can_be_set():
    values = {"recipe": Recipe(), "protocol": Protocol()}
    assert {"recipe.epochs", "recipe.clip_norm", "protocol.resamples"} <= set(KEYS)
    for key in KEYS:
        part, name = key.split(".")
        assert apply(f"{key}={getattr(values[part], name)}") == (Recipe(), Protocol())


@pytest.mark.parametrize(
    ("key", "nearest"),
    [("recipe.epoch", "recipe.epochs"), ("recipe.learningrate", "recipe.learning_rate"),
     ("protocol.fold", "protocol.folds"),
     ("epochs", "recipe.epochs"), ("recipe.optimizer", "recipe.optimiser")],
)  # fmt: skip
def test_an_unknown_key_names_the_nearest_and_all(key, nearest):
    with pytest.raises(BadInput) as caught:
        apply(f"{key}=1")
    assert f"did you mean {nearest}?" in str(caught.value)
    assert all(each in str(caught.value) for each in KEYS)


@pytest.mark.parametrize("key", ["", "task.name", "recipe", "recipe.", "recipe.__class__", "xyzzy"])
def test_a_key_like_no_other_names_all(key):
    with pytest.raises(BadInput) as caught:
        apply(f"{key}=1")
    assert "there is no such key" in str(caught.value)
    assert all(each in str(caught.value) for each in KEYS)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("recipe.epochs", "write key=value"),
        ("recipe.epochs=many", "write a whole number, as in recipe.epochs=60$"),
        ("recipe.epochs=2.5", "write a whole number"),
        ("recipe.epochs=", "write a whole number"),
        ("recipe.learning_rate=fast", "write a finite number, as in recipe.learning_rate=0.001$"),
        ("recipe.learning_rate=inf", "finite"),
        ("recipe.learning_rate=nan", "finite"),
        ("recipe.l2=inf", "finite"),
        ("recipe.optimiser=lino", "did you mean lion.*nesterov, rmsprop, adam, adamw, lion or adafactor$"),
        ("recipe.optimiser=Adam", "did you mean adam[?]"),
        ("recipe.schedule=steps", "one of constant, cosine, exponential, step or plateau$"),
        ("recipe.monitor=auroc", "write one of loss or score$"),
        ("recipe.plan=fast", "auto, resident, resident.xla, streamed"),
        ("recipe.epochs=0", "at least 1; received 0"),
        ("recipe.batch_size=99999999999999999999", "below 2.31; received 99999999999999999999"),
        ("recipe.width=99999999999", "at most 65536; received"),
        ("recipe.batch_size=-4", "at least 1; received -4"),
        ("recipe.learning_rate=0", "must be positive"),
        ("recipe.dropout=1", r"in \[0, 1\)"),
        ("recipe.warmup=-0.1", r"in \[0, 1\)"),
        ("recipe.weight_decay=-1", "must not be negative"),
        ("protocol.kind=split", "holdout, cross-validation or walk-forward$"),
        ("protocol.by=name", "row, id or time$"),
        ("protocol.test=1.5", r"in \(0, 1\)"),
        ("protocol.folds=1", "at least 2"),
        ("protocol.resamples=5", "at least 100"),
    ],
)
def test_a_value_that_cannot_work_is_refused(assignment, message):
    with pytest.raises(BadInput, match=message) as caught:
        apply(assignment)
    assert str(caught.value).startswith(f"--set {assignment.split('=')[0]}")
    assert "\n" not in str(caught.value)


def test_settings_that_need_each_other_come_in_any_order():
    for order in (1, -1):
        recipe, _ = apply(*["recipe.dp_delta=1e-6", "recipe.dp_epsilon=3", "recipe.schedule=plateau",
                            "recipe.drop_patience=12", "recipe.patience=20"][::order])  # fmt: skip
        assert (recipe.dp_delta, recipe.dp_epsilon, recipe.drop_patience) == (1e-6, 3, 12)


def test_of_settings_that_contradict_each_other_the_one_that_does_so_is_named():
    with pytest.raises(BadInput, match=r"^--set recipe.class_weights=balanced: recipe.class_weights=balanced lets"):
        apply("recipe.dp_delta=1e-6", "recipe.dp_noise=1", "recipe.class_weights=balanced", "recipe.epochs=3")
    with pytest.raises(BadInput, match=r"^--set recipe.dp_delta=1e-6: recipe.dp_delta does nothing"):
        apply("recipe.epochs=3", "recipe.dp_delta=1e-6", "recipe.patience=2")


def test_a_key_given_twice_is_refused():
    with pytest.raises(BadInput, match=r"^--set recipe.epochs=6: --set recipe.epochs=5 says so already; give"):
        apply("recipe.epochs=5", "recipe.patience=3", "recipe.epochs=6")


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["recipe.drop_every=0.2"], "with recipe.schedule=cosine; set recipe.schedule=step as well"),
        (["recipe.drop_factor=0.2"], "set recipe.schedule=step or recipe.schedule=plateau as well"),
        (["recipe.schedule=step", "recipe.drop_patience=2"], "set recipe.schedule=plateau as well"),
        (["recipe.dp_clip=2"], "does nothing without recipe.dp_epsilon or recipe.dp_noise"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(assignments, message):
    with pytest.raises(BadInput, match=message) as caught:
        apply(*assignments)
    assert str(caught.value).startswith(f"--set {assignments[-1]}: ")


def test_what_a_task_declares_for_another_schedule_stays():
    declared = Recipe(schedule="step", drop_every=0.2)
    assert settings.apply(["recipe.schedule=cosine"], declared, Protocol())[0].drop_every == 0.2
    assert apply("recipe.schedule=step", "recipe.drop_every=0.2")[0].drop_every == 0.2


def test_settings_that_contradict_each_other():
    with pytest.raises(BadInput, match="folds would train on the future"):
        apply("protocol.by=time", "protocol.kind=cross-validation")
