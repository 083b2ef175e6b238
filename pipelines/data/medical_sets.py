"""Public sets of medical pictures in the TFDS catalogue, declared for whichever task asks for them.

None of them is downloaded before somebody asks for `--data public:NAME`. Where a set does not say who its pictures are
of, rows of one patient may stand in two splits: what a model reaches there is an upper bound, and the declaration says
so. Change the size of one with `dataclasses.replace(SET, size=64)`.
"""

from pipelines.data.public_set import PublicSet

PNEUMONIA_MNIST = PublicSet("pneumonia_mnist", image="image", positive="Pneumonia", splits=("train", "val", "test"))
"""5856 chest X-rays of children, 28 x 28, grey (Kermany et al. 2018). Patients are not named; the split is official."""

COLORECTAL_HISTOLOGY = PublicSet("colorectal_histology", image="image", size=64, channels=3)
"""5000 tiles of 150 x 150 of ten stained slides, eight tissues (Kather et al. 2016). Neither patients nor a split:
tiles of one slide stand in training and test."""

PATCH_CAMELYON = PublicSet(
    "patch_camelyon", image="image", size=48, channels=3, positive="1", splits=("train", "validation", "test")
)
"""327 680 tiles of 96 x 96 of lymph nodes, metastasis in the middle or not (Veeling et al. 2018). The official split
keeps slides apart; which slide a tile is of is not said."""

PATCH_CAMELYON_ORIGIN = "PatchCamelyon, Veeling et al. 2018, MICCAI (CC0), of Camelyon16, through TensorFlow Datasets."
"""For the cards of the tasks that read it."""

MALARIA = PublicSet("malaria", image="image", size=64, channels=3, positive="parasitized")
"""27 558 red blood cells, cut out, of many sizes (Rajaraman et al. 2018). Patients are not named and there is no split:
cells of one patient stand in training and test."""

MAMMOGRAM_PATCHES = PublicSet(
    "curated_breast_imaging_ddsm/patches",
    image="image",
    size=64,
    channels=1,
    id="id",
    id_pattern=r"^([^/]+)/",
    without=("BACKGROUND",),
    renamed={
        "BENIGN_CALCIFICATION": "benign",
        "BENIGN_MASS": "benign",
        "MALIGNANT_CALCIFICATION": "malignant",
        "MALIGNANT_MASS": "malignant",
    },
    positive="malignant",
    splits=("train", "validation", "test"),
)
"""Patches around findings in mammograms, benign or malignant (CBIS-DDSM, Lee et al. 2017). An id is a study; the
official split is by patient. It has to be downloaded by hand."""

DIABETIC_RETINOPATHY = PublicSet(
    "diabetic_retinopathy_detection/btgraham-300",
    image="image",
    size=64,
    channels=3,
    id="name",
    id_pattern=r"^(\d+)_",
    splits=("train", "validation", "test"),
)
"""88 702 pictures of the fundus, grades 0 to 4 (EyePACS, Kaggle 2015). An id is a patient of two eyes. Validation and
test divide pictures, not patients. It has to be downloaded by hand."""

MEDICAL_SETS = {
    "pneumonia_mnist": PNEUMONIA_MNIST,
    "colorectal_histology": COLORECTAL_HISTOLOGY,
    "patch_camelyon": PATCH_CAMELYON,
    "malaria": MALARIA,
    "curated_breast_imaging_ddsm": MAMMOGRAM_PATCHES,
    "diabetic_retinopathy_detection": DIABETIC_RETINOPATHY,
}
"""By the names that `--data public:NAME` would use."""
