"""Is there cancer in this breast, from measurements of its cells' nuclei, or from a picture?

Data: `sample` is the Wisconsin diagnostic set of scikit-learn (569 real fine-needle aspirates, 30 measurements of the
nuclei in each picture); your own is a CSV with one patient a row: `--data cells.csv --target diagnosis`. Pictures are
read too: an `.npz` of BreastMNIST's layout or a folder of ultrasound pictures or mammograms by class; and through TFDS,
where they have to be downloaded, patches of mammograms (`public:curated_breast_imaging_ddsm`, CBIS-DDSM) and of lymph
nodes (`public:patch_camelyon`: has the cancer spread?). Networks and baselines of pictures then compete, by a recipe
for them.

A row is one patient; of pictures, one picture, and all of a patient are held out together where it is known whose they
are. 569 rows are few, so every row is tested three times, by 5-fold cross-validation with 3 repeats;
the corrected t-test then knows that the repeats are not independent.

Expected: AUROC about .995 for everything but the prior; the network rarely tells itself apart. About 2 minutes.
"""

from dataclasses import replace

from pipelines.contenders.pictures import BASELINES as OF_PICTURES
from pipelines.contenders.tables import BASELINES as OF_TABLES
from pipelines.data.images import OwnImages
from pipelines.data.medical_sets import MAMMOGRAM_PATCHES, PATCH_CAMELYON, PATCH_CAMELYON_ORIGIN
from pipelines.data.own_either import TableOrPictures
from pipelines.data.sample_set import SampleSet
from pipelines.data.tables import OwnTable
from pipelines.models.changes import BREAST
from pipelines.models.picture_networks import picture_networks
from pipelines.models.tabular import mlp
from pipelines.objectives.classification import Classification
from pipelines.space import Between, OneOf
from pipelines.task import (
    OTHER_ORGANS,
    USUAL_POINTS,
    Card,
    Limits,
    Network,
    OnPictures,
    Protocol,
    Recipe,
    Sources,
    Task,
)

TASK = Task(
    name="medical_imaging/breast-cancer",
    summary="Malignant or benign, from measurements of cell nuclei or from a picture",
    sources=Sources(
        sample=SampleSet("pipelines.data.builders.breast_cancer.BreastCancer"),
        own=TableOrPictures(OwnTable(), OwnImages(size=64)),
        public={"curated_breast_imaging_ddsm": MAMMOGRAM_PATCHES, "patch_camelyon": PATCH_CAMELYON},
    ),
    objective=Classification(),
    networks=(
        Network(
            "mlp",
            mlp,
            search={
                "learning_rate": Between(3e-4, 1e-2, log=True),
                "weight_decay": Between(1e-3, 0.3, log=True),
                "dropout": OneOf(0.0, 0.2, 0.4),
                "width": OneOf(32, 64),
            },
            not_with=("image",),
        ),
        *picture_networks("resnet-14", BREAST),
    ),
    baselines=(
        *(each if each.name == "prior" else replace(each, not_with=("image",)) for each in OF_TABLES),
        *(each for each in OF_PICTURES if each.name != "prior"),  # one of that name is there
    ),
    recipe=Recipe(epochs=60, batch_size=32, learning_rate=2e-3, weight_decay=0.03, dropout=0.2, patience=15, width=64),
    protocol=Protocol(kind="cross-validation", folds=5, repeats=3, operate_at=USUAL_POINTS),
    limits=Limits(primary_at_least=0.97, score="auroc"),
    card=Card(
        purpose="To compare models on a set that everybody knows: is a breast mass malignant, from thirty "
        "measures of cell nuclei that a person outlined in a picture of a fine needle aspirate.",
        users="Teachers, students and researchers of methods.",
        decides="A physician, by the biopsy and everything else that is known of the patient. No model here "
        "has a part in it.",
        not_for=(
            "diagnosing anybody: it is no medical device and was tested on 569 patients of one hospital before 1995",
            "reading pictures: it takes measures that somebody made of them",
            "screening: every mass here was suspicious enough for a needle",
        ),
        failures=(
            "It cannot be said whom it treats worse: the set has no attribute of the patients, not even their age.",
            "Measures depend on who outlined the nuclei, with which program; those of other laboratories may differ.",
            "More than a third of the masses are malignant; where fewer are, alarms are wrong more often than here.",
        ),
        origins={
            "breast_cancer": "Breast Cancer Wisconsin (Diagnostic), Wolberg, Street and Mangasarian 1995, UCI "
            "Machine Learning Repository, doi 10.24432/C5DW2B (CC BY 4.0), inside scikit-learn.",
        },
    ),
    on_pictures=OnPictures(
        recipe=Recipe(
            epochs=30, batch_size=32, learning_rate=1e-3, patience=10, weight_decay=0.05, dropout=0.3, width=16,
            augment=1.0, class_weights="balanced",
        ),
        protocol=Protocol(kind="cross-validation", by="id", folds=5, operate_at=USUAL_POINTS, strange=OTHER_ORGANS),
        card=Card(
            purpose="To ask whether a network sees cancer in pictures of breasts, or of lymph nodes, better than "
            "classical models do, and where it looks.",
            users="Researchers of medical imaging; teachers and students.",
            decides="A physician, by the biopsy and everything else that is known of the patient. No model here has a "
            "part in it.",
            not_for=(
                "diagnosing anybody: it is no medical device",
                "screening: somebody found something in each of these pictures, or cut out its surroundings",
                "pictures of another machine, stain or hospital than it learned from",
            ),
            failures=(
                "It cannot be said whom it treats worse: these sets do not say whose the pictures are.",
                "Small pictures show neither fine calcifications nor single cells.",
                "A third or a half of the pictures show cancer; where fewer do, alarms are wrong more often than here.",
            ),
            origins={
                "curated_breast_imaging_ddsm": "CBIS-DDSM, Lee et al. 2017, Scientific Data 4, doi "
                "10.1038/sdata.2017.177 (CC BY 3.0), through TensorFlow Datasets; to be downloaded by hand.",
                "patch_camelyon": PATCH_CAMELYON_ORIGIN,
            },
        ),
    ),
)  # fmt: skip
