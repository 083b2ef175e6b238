"""Is this review a good one?

Data: `sample` is the fine-food reviews of modeldata (4000 + 1000 real reviews, `great` for five stars or `other`);
`public` is `imdb_reviews` through TFDS; your own is a CSV with a text and a label a row:
`--data reviews.csv --text review --target label`.

A row is one review. The set's own 1000 test reviews are the test; validation is taken from the other 4000.

Expected: accuracy about .81 and AUROC about .88 for TF-IDF with logistic regression, less for the LSTM, which has no
vocabulary before it has seen these 4000 reviews. About a minute and a half on 2 cores.
"""

from pipelines.contenders.texts import BASELINES
from pipelines.data.public_set import PublicSet
from pipelines.data.sample_set import SampleSet
from pipelines.data.texts import OwnTexts
from pipelines.models.text import bidirectional_lstm
from pipelines.objectives.classification import Classification
from pipelines.space import Between, OneOf
from pipelines.task import Card, Network, Protocol, Recipe, Sources, Task

TASK = Task(
    name="nlp/sentiment",
    summary="Whether a review is favourable",
    sources=Sources(
        sample=SampleSet("pipelines.data.builders.food_reviews.FoodReviews"),
        public={"imdb_reviews": PublicSet("imdb_reviews", positive="pos", text="text", splits=("train", "test"))},
        own=OwnTexts(),
    ),
    objective=Classification(decide_by="accuracy"),
    networks=(
        Network(
            "bidirectional-lstm",
            bidirectional_lstm,
            search={
                "learning_rate": Between(3e-4, 1e-2, log=True),
                "weight_decay": Between(1e-3, 0.1, log=True),
                "dropout": OneOf(0.2, 0.4, 0.6),
            },
        ),
    ),
    baselines=BASELINES,
    recipe=Recipe(epochs=12, batch_size=64, learning_rate=2e-3, dropout=0.4, patience=3, weight_decay=0.01),
    protocol=Protocol(kind="holdout"),
    card=Card(
        purpose="To tell favourable reviews from others, and to ask whether a network that starts from "
        "nothing is worth it beside counting words.",
        users="Analysts who summarise many reviews; teachers and students.",
        decides="Whoever reads the summary. A single review is not decided on.",
        not_for=(
            "judging or removing single reviews, or the people who wrote them",
            "languages other than English, or texts other than reviews of foods",
            "moods, intents or health of people",
        ),
        failures=(
            "Favourable means five stars: a review of four stars is counted among the others, however kind.",
            "Irony and negation far from what they turn around are missed; misspelt and new words are not known.",
            "Whom it treats worse is not known: nothing is known of the writers.",
            "7 of the 1000 test reviews stand word for word among the training rows.",
        ),
        origins={
            "food_reviews": "Tables training_data and testing_data of R's package modeldata (MIT licence), drawn "
            "from the Amazon Fine Food Reviews of McAuley and Leskovec (2013), WWW. They do not "
            "state a licence of the reviews themselves.",
            "imdb_reviews": "Large Movie Review Dataset, Maas et al. 2011, ACL, through TensorFlow Datasets.",
        },
    ),
)
