"""What a network sees of raw columns, against NumPy; missing, unseen and awkward values and names."""

import keras
import numpy as np
import pytest

from pipelines.data.examples import Examples
from pipelines.models.inputs import MISSING, as_array, as_tensors, keras_inputs
from pipelines.models.layers import NumberEncoding
from pipelines.models.tabular import MOST_CATEGORIES, _encoded, encoder


def words(*values):
    return np.array(values, dtype=object)


def by_hand(train, rows, bins):
    """Standardised numbers, then flags, then bins column by column, as many as the column with most has."""
    standard, flags, pieces = [], [], []
    edges = [np.unique(np.quantile(column[~np.isnan(column)], np.linspace(0, 1, bins + 1))) for column in train.T]
    most = max(1, *(len(each) - 1 for each in edges))
    for column, values, each in zip(train.T, rows.T, edges, strict=True):
        known = column[~np.isnan(column)]
        filled = np.where(np.isnan(values), np.median(known), values)
        spread = known.std() if known.min() < known.max() else 1.0
        standard.append(np.clip((filled - np.median(known)) / spread, -5, 5))
        flags.append(np.isnan(values))
        for number in range(most):
            if number + 1 < len(each):
                pieces.append(np.clip((filled - each[number]) / (each[number + 1] - each[number]), 0, 1))
            else:
                pieces.append(np.zeros(len(values)))
    return np.column_stack([*standard, *flags, *pieces])


def test_numbers_equal_the_reference():
    rng = np.random.default_rng(0)
    train = np.column_stack([
        rng.normal(size=200), rng.integers(0, 3, 200), np.full(200, 0.1), rng.lognormal(size=200) * 1e6,
        1.7e9 + rng.integers(0, 1000, 200),
    ])  # fmt: skip
    train[::9, 0] = np.nan
    rows = np.vstack([train[:30], np.full((1, 5), np.nan), np.full((1, 5), 1e39), np.full((1, 5), -1e39)])
    layer = NumberEncoding.fitted(train, bins=8)
    found = np.asarray(layer(rows))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, by_hand(train, rows, 8), rtol=1e-5, atol=1e-6)


def test_shape_is_known_before_any_row():
    layer = NumberEncoding.fitted(np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]]), bins=4)
    out = layer(keras.Input((2,), dtype="float64"))
    assert out.shape == (None, *np.asarray(layer(np.zeros((3, 2)))).shape[1:])
    assert out.dtype == "float32"


def test_a_column_of_missing_values_only_is_flagged():
    layer = NumberEncoding.fitted(np.full((9, 1), np.nan), bins=4)
    assert np.asarray(layer(np.array([[np.nan], [0.0]]))).tolist() == [[0, 1, 0], [0, 0, 0]]


def test_each_column_has_places_of_its_own():
    """Moving a number, or losing it, changes its own places and no other; categories stand behind the numbers."""
    rng = np.random.default_rng(0)
    columns = {"x": rng.normal(size=80), "z": rng.normal(size=80), "c": rng.choice(["a", "b", "d"], 80).astype(object)}
    examples = Examples(columns=columns, target=np.zeros(80))
    encode, places = _encoded(examples)
    assert sorted(place for each in places for place in each) == list(range(encode.output_shape[-1]))

    def encoded(**changed):
        return np.asarray(encode(as_tensors({**columns, **changed}, examples.kinds)))

    for own, changed in zip(places, ({"x": columns["x"] + 0.5}, {"z": np.full(80, np.nan)}, {"c": columns["c"][::-1]}),
                            strict=True):  # fmt: skip
        moved = np.flatnonzero(np.abs(encoded(**changed) - encoded()).max(axis=0) > 0)
        assert set(moved) <= set(own)
        assert len(moved) > len(own) / 2


def test_rounding_is_no_spread():
    column = np.full((1000, 1), 0.1)
    column[::2] += 0  # the standard deviation of 1000 times 0.1 is 1e-17, not 0
    assert NumberEncoding.fitted(column, bins=4).spread == [1.0]


def test_dates_in_seconds_keep_their_seconds():
    moments = 1.7e9 + np.arange(100.0)
    examples = Examples(columns={"t": moments}, target=np.zeros(100))
    encode = encoder(examples)
    found = np.asarray(encode(as_tensors(examples.columns, examples.kinds)))
    assert len(np.unique(found[:, 0])) == 100


def test_layer_comes_back_from_its_configuration():
    layer = NumberEncoding.fitted(np.random.default_rng(0).normal(size=(50, 2)), bins=4)
    again = NumberEncoding.from_config(layer.get_config())
    rows = np.array([[0.1, np.nan], [3.0, -1.0]])
    np.testing.assert_array_equal(layer(rows), again(rows))


def encoded(train, rows):
    examples = Examples(columns=train, target=np.zeros(len(next(iter(train.values())))))
    return np.asarray(encoder(examples)(as_tensors(rows, examples.kinds)))


def test_categories_missing_and_unseen_have_places_of_their_own():
    train = {"town": words("Ulm", "Ulm", "Ulm", "Bonn", "Bonn", None)}
    found = encoded(train, {"town": words("Ulm", "Bonn", None, "Rome", "Oslo")})
    assert found.shape == (5, 4)
    assert (found.sum(axis=1) == 1).all()
    places = found.argmax(axis=1)
    assert len(set(places[:4])) == 4
    assert places[3] == places[4]  # both were never seen


def test_the_rarest_categories_share_a_place():
    names = [f"c{number}" for number in range(MOST_CATEGORIES + 20)]
    train = {"c": words(*(name for number, name in enumerate(names) for _ in range(100 - number)))}
    found = encoded(train, {"c": words(*names)}).argmax(axis=1)
    assert len(set(found[:MOST_CATEGORIES])) == MOST_CATEGORIES
    assert len(set(found[MOST_CATEGORIES:])) == 1


@pytest.mark.parametrize("odd", ["[UNK]", "", "a\nb", "☺", "a,b", " a", "nan", "None"])
def test_odd_categories_are_categories(odd):
    found = encoded({"c": words("x", odd, "x", odd)}, {"c": words("x", odd)})
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize(
    "names",
    [
        ["name"], ["input", "name", "dtype"], ["a b", "größe", "你好", "☺"], ["a/b", "a_b", "/", "a//b"],
        ["a:0", "a.b", "a-b", "%", "", "0"], [f"column {number}" for number in range(200)],
    ],
    ids=["name", "words of Keras", "unicode", "slashes", "signs", "200"],
)  # fmt: skip
def test_any_name_of_a_column_will_do(names, tmp_path):
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=8) for name in names}
    examples = Examples(columns=columns, target=np.zeros(8))
    encode = encoder(examples)
    rows = as_tensors(columns, examples.kinds)
    found = np.asarray(encode(rows))
    np.testing.assert_allclose(
        found[:, : len(names)], NumberEncoding.fitted(np.column_stack(list(columns.values())), 16)(
            np.column_stack(list(columns.values())))[:, : len(names)], rtol=1e-6,
    )  # fmt: skip
    encode.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", compile=False, safe_mode=True)
    np.testing.assert_array_equal(again(dict(reversed(rows.items()))), found)


def test_arrays_of_each_kind():
    assert as_array(words("a", None, 3), "category").tolist() == [["a"], [MISSING], ["3"]]
    assert as_array(np.array([1, 2]), "number").shape == (2, 1)
    assert as_array(np.zeros((2, 3, 3, 1), np.uint8), "image").dtype == np.uint8
    assert as_array(np.zeros((2, 9)), "wave").dtype == np.float32
    examples = Examples(
        columns={"n": np.zeros(2), "c": words("a", "b"), "i": np.zeros((2, 4, 5, 3), np.uint8), "w": np.zeros((2, 9))},
        target=np.zeros(2),
    )
    inputs = keras_inputs(examples, list(examples.columns))
    assert {name: (each.shape[1:], each.dtype) for name, each in inputs.items()} == {
        "n": ((1,), "float64"), "c": ((1,), "string"), "i": ((4, 5, 3), "uint8"), "w": ((9,), "float32"),
    }  # fmt: skip
