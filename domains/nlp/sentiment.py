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
from pipelines.task import Network, Protocol, Recipe, Sources, Task

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
)
