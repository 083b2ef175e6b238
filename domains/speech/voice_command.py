"""Which command was spoken?

Data: `sample` is simulated: commands spoken by the espeak-ng synthesiser in many voices, with noise; `public` are
`spoken_digit` and `speech_commands` through TFDS; your own is a folder of wav files, `WORD/any.wav` or
`WORD_SPEAKER_TAKE.wav`, with the speaker taken from the name: `--data recordings/`.

A row is one second of sound at 8 kHz. Whole voices are held out: a recogniser that has heard a speaker is judged too
kindly on that speaker. Bias is measured between female and male voices.

Expected: accuracy of the network about .9 and more on unseen voices, ahead of MFCC statistics with an SVM; 2 minutes.
"""

from pipelines.contenders.waves import baselines
from pipelines.data.public_set import PublicSet
from pipelines.data.sample_set import SampleSet
from pipelines.data.waves import OwnWaves
from pipelines.models.audio import separable_cnn
from pipelines.objectives.classification import Classification
from pipelines.space import Between, OneOf
from pipelines.task import Card, Network, Protocol, Recipe, Sources, Task

RATE = 8000

TASK = Task(
    name="speech/voice-command",
    summary="Which command was spoken (sample: simulated voices)",
    sources=Sources(
        sample=SampleSet("pipelines.data.builders.voice_commands.VoiceCommands"),
        public={
            "spoken_digit": PublicSet(
                "spoken_digit", wave="audio", id="audio/filename", id_pattern=r"\d_(\w+)_\d+\.wav"
            ),
            "speech_commands": PublicSet(
                "speech_commands",
                wave="audio",
                splits=("train", "validation", "test"),
                without=("_silence_", "_unknown_"),
                limit=20_000,
            ),
        },
        own=OwnWaves(rate=RATE),
    ),
    objective=Classification(),
    networks=(
        Network(
            "separable-cnn",
            separable_cnn(RATE),
            search={
                "learning_rate": Between(5e-4, 1e-2, log=True),
                "weight_decay": Between(1e-3, 0.1, log=True),
                "dropout": OneOf(0.1, 0.2, 0.4),
            },
        ),
    ),
    baselines=baselines(RATE),
    recipe=Recipe(
        epochs=30, batch_size=64, learning_rate=3e-3, dropout=0.2, patience=10, weight_decay=0.01, monitor="score"
    ),
    protocol=Protocol(kind="holdout", by="id", test=0.4),
    sample_is_simulated=True,
    card=Card(
        purpose="To recognise one of twelve spoken commands. On the sample, only to show how such models are "
        "compared and measured for bias: its voices are synthesised.",
        users="Developers of telephone menus and of speech models, on recordings of their own; teachers and students.",
        decides="The caller, who must be able to correct what was understood and to reach a person.",
        not_for=(
            "saying anything about people's voices: no person speaks in the sample",
            "emergencies: whoever says help or doctor must not depend on it",
            "recognising who speaks, or what state they are in",
        ),
        failures=(
            "It never heard a person's voice. Synthesised voices are alike, as people are not.",
            "A word that is none of the twelve is taken for one of them.",
            "Children, other accents, two people at once and noise louder than in the sample were not tried.",
        ),
        origins={
            "voice_commands": "Made here by the speech synthesiser eSpeak NG 1.52 (GPL-3), through the package "
            "espeakng-loader. Nobody's voice is in it.",
            "spoken_digit": "Free Spoken Digit Dataset (CC BY-SA 4.0), through TensorFlow Datasets.",
            "speech_commands": "Speech Commands, Warden 2018 (CC BY 4.0), through TensorFlow Datasets.",
        },
    ),
)
