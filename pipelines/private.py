"""Private contenders in a run: from what was trained at each epsilon to what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.compete import Trial
from pipelines.contenders.private import PrivateContender
from pipelines.evaluation import privacy_price
from pipelines.prepare import Prepared
from pipelines.report.document import PrivacyPrice, Scorecard


def prices(
    trials: Sequence[Trial], cards: Sequence[Scorecard], prepared: Prepared, seed: int
) -> tuple[PrivacyPrice, ...]:
    """What each network pays at each epsilon, against itself without privacy; of those that could be trained."""
    outcomes = {trial.contender.name: trial.outcome for trial in trials}
    private = [trial.contender for trial in trials if isinstance(trial.contender, PrivateContender)]
    made = [privacy_price.Made(each.name, each.base.name, each.epsilon) for each in private]
    return privacy_price.prices(made, cards, outcomes, prepared.objective, prepared.protocol.resamples, seed)
