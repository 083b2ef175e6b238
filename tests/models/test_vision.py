"""Networks for pictures: their depth, what volumes and sizes they take, augmentation inside, weights from a file."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from pipelines.contenders.network import FittedNetwork, NetworkContender, _served
from pipelines.data.examples import Examples
from pipelines.errors import BadInput
from pipelines.explanation.cam import grad_cam
from pipelines.explanation.opened import opened
from pipelines.models.applications import application
from pipelines.models.augmentation import Augmentation, View
from pipelines.models.changes import CHEST, TISSUE
from pipelines.models.picture_networks import NETWORKS, picture_networks
from pipelines.models.vision import compact_cnn, residual
from pipelines.objectives.classification import Classification
from pipelines.task import Network, Recipe
from pipelines.training.independence import skips
from pipelines.training.layers import walk

RECIPE = Recipe(epochs=2, batch_size=16, width=4, plan="resident", learning_rate=0.01)
BINARY = Classification(classes=("low", "top"))


def of_shape(*shape, n=40):
    """Pictures or volumes whose upper half is brighter where the label says so."""
    rng = np.random.default_rng(0)
    ill = np.arange(n) % 2 == 1
    values = rng.integers(0, 120, (n, *shape))
    half = shape[len(shape) - 3] // 2
    values[ill, ..., :half, :, :] += 100
    return Examples({"image": values.astype(np.uint8)}, np.where(ill, "top", "low"), {"image": "image"})


def weighed(core):
    """How many layers of convolution or Dense lie between input and output, shortcuts not counted."""
    return sum(isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.Dense))
               and max(getattr(layer, "kernel_size", (3,))) > 1 for layer in core.layers)  # fmt: skip


@pytest.mark.parametrize(("blocks", "depth"), [((1, 1, 1), 8), ((2, 2, 2), 14), ((2, 2, 2, 2), 18)])
def test_residual_networks_have_the_depth_of_their_name(blocks, depth):
    core = residual(blocks)(of_shape(28, 28, 1, n=4), BINARY, replace(RECIPE, dropout=0.35)).core
    assert weighed(core) == depth
    assert [layer.rate for layer in core.layers if isinstance(layer, keras.layers.Dropout)] == [0.35]
    assert core.output_shape == (None, 1)


def test_fifty_layers_with_bottlenecks_and_the_widths_of_the_paper():
    architecture = NETWORKS["resnet-50"](None)(of_shape(32, 32, 3, n=4), BINARY, Recipe(width=64))
    kernels = [layer for layer in architecture.core.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(kernels) - 4 + 1 == 50  # but for four projections of shortcuts, and with the Dense at the end
    assert architecture.core.layers[-2].output.shape[-1] == 2048
    assert 23.4e6 < architecture.core.count_params() < 23.6e6  # 25.6 million with 1000 classes, 2.05 of them theirs


@pytest.mark.parametrize("shape", [(9, 11, 1), (28, 28, 3), (70, 66, 1), (5, 8, 7, 1), (3, 70, 70, 1)])
@pytest.mark.parametrize("build", [residual((1, 1, 1), changes=TISSUE), residual((1, 1), True), compact_cnn(TISSUE)])
def test_pictures_of_any_size_and_volumes_are_taken(shape, build):
    architecture = build(of_shape(*shape, n=6), BINARY, Recipe(width=4, augment=1.0))
    raw = of_shape(*shape, n=6).columns["image"]
    x = architecture.encode({"image": raw})
    assert float(np.min(x)) >= -1
    assert float(np.max(x)) <= 1
    assert architecture.core(x, training=True).shape == (6, 1)


def test_large_pictures_are_thinned_out_by_the_stem():
    small, large = (residual((1, 1, 1))(of_shape(side, side, 1, n=2), BINARY, RECIPE).core for side in (60, 64))
    assert _last_sides(small) == 15
    assert _last_sides(large) == 4


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_block_that_learned_nothing_passes_on_what_it_gets(bottleneck):
    core = residual((1, 1), bottleneck)(of_shape(12, 12, 1, n=4), BINARY, RECIPE).core
    for layer in core.layers:  # what a block adds comes through a kernel that nothing else is added to
        if isinstance(layer, keras.layers.Add):
            branch = layer.input[1]._keras_history[0]
            branch.set_weights([np.zeros_like(each) for each in branch.get_weights()])
    outputs = np.asarray(core(of_shape(12, 12, 1, n=4).columns["image"].astype(np.float32) / 255))
    assert np.ptp(outputs) > 1e-6


def test_volumes_are_thinned_out_by_the_stem_where_they_have_room():
    thin, large = (residual((1, 1, 1))(of_shape(16, side, side, 1, n=2), BINARY, RECIPE).core for side in (12, 32))
    assert _last_sides(thin) == 4
    assert _last_sides(large) == 2


def _last_sides(core):
    return next(layer.output.shape[1] for layer in reversed(core.layers) if len(layer.output.shape) > 3)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_each_network_offers_augmentation_and_views(name):
    recipe = Recipe(width=4, augment=0.5, views=2)
    architecture = NETWORKS[name](CHEST)(of_shape(32, 32, 1, n=2), BINARY, recipe)
    (layer,) = (each for each in architecture.core.layers if isinstance(each, Augmentation))
    assert layer.most == CHEST
    assert layer.strength == 0.5
    assert len(architecture.views) == 2
    seen = [each for each in architecture.core.layers if len(each.output.shape) == 4]
    assert len(seen) > 8, "a model inside hides its layers from Grad-CAM"
    keras.models.clone_model(architecture.core)
    # TensorFlow's gradient of such a layer can kill the process.
    assert not any(skips(layer) for _, layer, _ in walk(architecture.core))


def test_private_training_changes_no_picture():
    for recipe in (Recipe(augment=1.0, dp_noise=1.0), Recipe()):
        core = residual((1, 1, 1), changes=CHEST)(of_shape(12, 12, 1, n=2), BINARY, recipe).core
        assert not any(isinstance(each, Augmentation) for each in core.layers)


def test_one_network_competes_unasked_and_it_stands_first():
    found = picture_networks("resnet-14", CHEST)
    assert [each.name for each in found if each.unasked] == ["resnet-14"] == [found[0].name]
    assert sorted(each.name for each in found) == sorted(NETWORKS)


def test_training_with_everything_on_learns_and_is_the_same_again():
    rows = of_shape(12, 12, 1, n=80)
    recipe = Recipe(epochs=8, batch_size=16, width=4, learning_rate=0.02, augment=0.5, mixup=0.2, focal=1.0,
                    label_smoothing=0.05, average=0.9, views=2, plan="resident", patience=8)  # fmt: skip
    contender = NetworkContender(Network("n", residual((1, 1), changes=CHEST)), BINARY, recipe)
    first, second = (contender.fit(rows, rows, 5).predict(rows).values[:, 1] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert ((first > 0.5) == (rows.target == "top")).mean() > 0.9


def test_the_answer_is_the_mean_over_the_picture_and_its_views(tmp_path):
    rows = of_shape(16, 16, 1)
    contender = NetworkContender(
        Network("n", residual((1, 1), changes=TISSUE)), BINARY, Recipe(epochs=1, width=4, views=3, plan="resident")
    )
    fitted = contender.fit(rows, rows, 0)
    network = opened(fitted)
    here = network.numbers(network.encoded(rows))
    looks = [here, *(np.asarray(each(here)) for each in fitted.model.layers if isinstance(each, View))]
    assert len(looks) == 4
    mean = np.mean([np.asarray(network.core(each, training=False)) for each in looks], axis=0)[:, 0]
    np.testing.assert_allclose(fitted.predict(rows).values[:, 1], 1 / (1 + np.exp(-mean)), atol=1e-5)
    fitted.model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.predict({"image": rows.columns["image"]}, verbose=0)[:, 0],
                               fitted.predict(rows).values[:, 1], atol=1e-5)  # fmt: skip
    np.testing.assert_array_equal(opened(replace(fitted, model=again)).numbers(network.encoded(rows)), here)


def test_grad_cam_looks_into_a_large_network_of_keras():
    rows = of_shape(32, 32, 1, n=4)
    architecture = application("efficientnet-b0", CHEST)(rows, BINARY, Recipe(augment=1.0))
    network = opened(FittedNetwork(_served(architecture, BINARY), BINARY, {"image": "image"}))
    here = network.numbers(network.encoded(rows))
    assert grad_cam(network, here, network.chosen(here)).shape == (4, 32, 32)


def test_large_networks_see_pictures_in_the_range_they_were_made_for():
    """A white and a black pixel after all that stands before DenseNet's own first layer."""
    rows = of_shape(32, 32, 1, n=2)
    rows.columns["image"][0], rows.columns["image"][1] = 0, 255
    architecture = application("densenet-121")(rows, BINARY, Recipe())
    first = next(layer for layer in architecture.core.layers if isinstance(layer, keras.layers.Rescaling))
    seen = keras.Model(architecture.core.inputs, first.output)(architecture.encode({"image": rows.columns["image"]}))
    from keras.applications.imagenet_utils import preprocess_input

    colour = np.repeat(rows.columns["image"].astype(np.float32), 3, axis=-1)
    np.testing.assert_allclose(seen, preprocess_input(colour, mode="torch"), atol=1e-4)


@pytest.mark.parametrize("ending", [".weights.h5", "_notop.h5"])
def test_weights_of_a_file_are_where_training_starts(tmp_path, ending):
    rows, path = of_shape(32, 32, 3, n=2), tmp_path / f"efficientnet{ending}"
    keras.utils.set_random_seed(1)
    theirs = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    theirs.save_weights(path) if ending == ".weights.h5" else _legacy(theirs, path)
    core = application("efficientnet-b0", CHEST)(rows, BINARY, Recipe(augment=1.0, weights=str(path))).core
    ours = [
        weights for layer in core.layers[:-1] if not isinstance(layer, Augmentation) for weights in layer.get_weights()
    ]
    for mine, given in zip(ours, theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, given)


def _legacy(model, path):
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def test_weights_that_do_not_fit_are_refused_by_name(tmp_path):
    rows = of_shape(32, 32, 1, n=2)

    def asked(path):
        return application("efficientnet-b0")(rows, BINARY, Recipe(weights=str(path)))

    other = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(other)
    with pytest.raises(BadInput, match="of another network than efficientnet-b0"):
        asked(other)
    (tmp_path / "text.weights.h5").write_text("no weights")
    with pytest.raises(BadInput, match="cannot be read"):
        asked(tmp_path / "text.weights.h5")
    with pytest.raises(BadInput, match="there is no file"):
        asked(tmp_path / "missing.weights.h5")
    with pytest.raises(BadInput, match="expected a file of weights"):
        asked(tmp_path / "model.keras")


@pytest.mark.parametrize(("shape", "match"), [((4, 32, 32, 1), "not volumes"), ((32, 32, 2), "2 channels")])
def test_large_networks_say_what_they_do_not_take(shape, match):
    with pytest.raises(BadInput, match=match):
        application("convnext-tiny")(of_shape(*shape, n=2), BINARY, Recipe())
