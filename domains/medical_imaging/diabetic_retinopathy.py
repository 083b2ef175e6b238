"""How far has diabetes damaged this retina, from a picture of the fundus: grade 0 to 4?

Data: `sample` is SIMULATED: 1600 pictures of 48 x 48 pixels that a program drew, both eyes of 800 patients, with
vessels, optic disc, macula, and the lesions of each grade, larger than life; a tenth of the labels is one grade off, as
graders differ. `public` is `diabetic_retinopathy_detection` through TFDS, which has to be downloaded by hand. Your own
is an `.npz` of RetinaMNIST's layout, or a folder of PNG or JPEG with a `labels.csv` (path, label, patient, ...):
`--data retina/`. Grades are 0 to 4, or written out (No_DR, Mild, Moderate, Severe, Proliferate_DR).

A row is an eye. Both eyes of a patient are alike, so whole patients are held out. What decides is the quadratic kappa;
referable are grades from 2 on. The network learns four questions, "is it above grade 0, 1, 2, 3?", in one loss; all
contenders' grades are cut in the same way out of their probabilities, where validation rows have the largest kappa.
Bias is measured by camera and by age; in the sample a handheld camera blurs, and older eyes have drusen, which look
like exudates.

Expected: ordinal logistic regression on counted spots comes near the network; a tenth of wrong labels bounds both.
Measured: quadratic kappa .826 for the network, .784 for that baseline, in 4 minutes of processor time on 2 cores.
"""

from pipelines.contenders.spots import BASELINES
from pipelines.data.images import OwnImages
from pipelines.data.medical_sets import DIABETIC_RETINOPATHY
from pipelines.data.sample_set import SampleSet
from pipelines.models.changes import EYE
from pipelines.models.picture_networks import picture_networks
from pipelines.objectives.ordinal import Ordinal
from pipelines.task import Card, Protocol, Recipe, Sources, Task

GRADES = (
    ("0", "1", "2", "3", "4"),
    ("no dr", "mild", "moderate", "severe", "proliferative dr"),
    ("no_dr", "mild", "moderate", "severe", "proliferate_dr"),
)
"""Of the International Clinical Diabetic Retinopathy scale, as people write them."""

REFERABLE = 2
"""Moderate and worse: whoever has it is sent to an ophthalmologist."""

TASK = Task(
    name="medical_imaging/diabetic-retinopathy",
    summary="Grade of diabetic retinopathy, 0 to 4, from a picture of the fundus (sample: simulated eyes)",
    sources=Sources(
        sample=SampleSet("pipelines.data.builders.simulated_fundus.SimulatedFundus"),
        public={"diabetic_retinopathy_detection": DIABETIC_RETINOPATHY},
        own=OwnImages(size=48, channels=3),
    ),
    objective=Ordinal(orders=GRADES, refer_from=REFERABLE),
    networks=picture_networks("small-resnet", EYE),
    baselines=BASELINES,
    recipe=Recipe(
        epochs=20, batch_size=32, learning_rate=2e-3, patience=8, weight_decay=0.05, dropout=0.3, width=16, augment=1.0
    ),
    protocol=Protocol(kind="holdout", by="id", test=0.35, strange="noise,blank,photographs,tissue,head"),
    sample_is_simulated=True,
    card=Card(
        purpose="To grade diabetic retinopathy from a picture of the fundus. On the sample, only to show how models of "
        "ordered grades are compared: its eyes are simulated.",
        users="Researchers of medical imaging, on pictures of their own; teachers and students.",
        decides="An ophthalmologist or a trained grader who sees the picture. No model here has a part in it.",
        not_for=(
            "screening anybody: it is no medical device, and on the sample it never saw an eye",
            "pictures too small to show microaneurysms: of 48 pixels no real one does",
            "macular oedema and other diseases of the eye, which the grade says nothing about",
        ),
        failures=(
            "Simulated lesions are larger, sharper and more alike than real ones; good scores on them promise nothing "
            "for patients.",
            "A handheld camera that blurs hides small lesions, and ill eyes are graded too low; this was built into "
            "the sample.",
            "Drusen of older eyes look like exudates; this was built into the sample too.",
            "One grader's label is taken for the truth; a tenth of the sample's are one grade off.",
        ),
        origins={
            "simulated_fundus": "Made here by a program. Nobody's eyes are in it.",
            "diabetic_retinopathy_detection": "EyePACS pictures of the Kaggle competition of 2015, through TensorFlow "
            "Datasets; to be downloaded by hand, under the rules of the competition.",
        },
    ),
)
