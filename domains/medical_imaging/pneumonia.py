"""Has this child pneumonia, from an X-ray of the chest?

Data: `sample` is 1300 SIMULATED films, drawn by a program, for no package holds real ones; `public` is PneumoniaMNIST
through TFDS (5856 real films, 28 x 28); your own is an `.npz` in MedMNIST's layout or a folder of PNG, JPEG or DICOM
files: `--data pneumoniamnist.npz`.

A row is one film. All films of a child are held out together; a set with a split of its own keeps it. Bias is measured
by age and by whether the film was taken standing or lying, which in the sample makes it harder to read.

The network is a residual one of 14 layers, as wide as two cores train in minutes; while it learns, films are shifted,
turned, scaled and lit a little, never mirrored: the heart is on the left. Classes weigh alike in training, for the sets
have other shares of the ill in training than in the test.
"""

from pipelines.contenders.pictures import BASELINES
from pipelines.data.images import OwnImages
from pipelines.data.medical_sets import PNEUMONIA_MNIST
from pipelines.data.sample_set import SampleSet
from pipelines.models.changes import CHEST
from pipelines.models.picture_networks import picture_networks
from pipelines.objectives.classification import Classification
from pipelines.task import OTHER_ORGANS, USUAL_POINTS, Card, Protocol, Recipe, Sources, Task

TASK = Task(
    name="medical_imaging/pneumonia",
    summary="Pneumonia or not, from an X-ray of a child's chest",
    sources=Sources(
        sample=SampleSet("pipelines.data.builders.simulated_chests.SimulatedChests"),
        public={"pneumonia_mnist": PNEUMONIA_MNIST},
        own=OwnImages(size=28),
    ),
    sample_is_simulated=True,
    objective=Classification(),
    networks=picture_networks("resnet-14", CHEST),
    baselines=BASELINES,
    recipe=Recipe(
        epochs=25,
        batch_size=64,
        learning_rate=1e-3,
        patience=8,
        weight_decay=0.05,
        dropout=0.3,
        width=16,
        augment=1.0,
        class_weights="balanced",
    ),
    protocol=Protocol(by="id", operate_at=USUAL_POINTS, strange=OTHER_ORGANS),
    card=Card(
        purpose="To ask whether a network sees pneumonia in films of children's chests better than classical models "
        "do, and where it looks; on the sample, whose films are simulated, to try the pipeline.",
        users="Researchers of medical imaging; teachers and students.",
        decides="A physician, by the child and everything else that is known of it. No model here has a part in it.",
        not_for=(
            "diagnosing anybody: it is no medical device, and the sample is simulated",
            "adults, or other findings than pneumonia: other illness makes lungs opaque too",
            "films of a size, a machine or a hospital that it did not learn from",
        ),
        failures=(
            "Faint opacities, and those behind the heart, are missed.",
            "Films taken lying are blurred and more often of the ill: it errs more there, and the position itself "
            "moves its answer.",
            "3 % of the sample's labels are wrong by design; no model can be right there.",
        ),
        origins={
            "simulated_chests": "Drawn by Tapeline's own program; no patient is in it.",
            "pneumonia_mnist": "PneumoniaMNIST of MedMNIST (CC BY 4.0), chest X-rays of children (Kermany et al. "
            "2018), through TensorFlow Datasets.",
        },
    ),
)
