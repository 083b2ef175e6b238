"""A saved contender as an MLflow model: our own folder, described by an `MLmodel` file with a signature.

Neither Keras nor scikit-learn is loaded to log one: MLflow's own `log_model` serialises the model a second time and,
asked to find out its requirements, loads it a third. The folder stays what `tapeline predict` reads, and MLflow's
`keras` and `sklearn` flavours read the very same `model.keras` or `model.skops`. Nothing in it is a pickle.
"""

from __future__ import annotations

import json
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pipelines
from pipelines.errors import BadInput
from pipelines.tracking.provenance import versions

if TYPE_CHECKING:
    from pipelines.data.examples import Examples
    from pipelines.objectives.objective import Predictions
    from pipelines.tracking.record import RunHandle

NAME = "model"
FILES = {"model.keras": ("tensorflow", "keras", "numpy"), "model.skops": ("scikit-learn", "skops", "numpy", "pandas")}
"""A model's file, and the libraries that reading it takes."""

BLEND, PARTS = "contender.json", "parts"
"""A blend has no file of its own: its description, and a folder of the models it is made of. `tapeline predict` reads
it, the flavours of MLflow cannot."""


def log_model(run: RunHandle, folder: Path, inputs: Examples, outputs: Predictions, column: str | None = None) -> None:
    """Log the folder that a contender was saved into as `runs:/RUN_ID/model`.

    Args:
        folder: holds `model.keras` or `model.skops`, and what else `tapeline predict` reads; all of it is logged.
        inputs: a few rows, for their columns' kinds and shapes; no value of them is stored.
        outputs: what the model says about these rows.
        column: the one column that a classical model reads as an array; None where it reads the table.

    Raises:
        BadInput: the folder holds no model, or two.
    """
    from mlflow.entities import LoggedModelOutput

    file, probable = model_file(folder), outputs.values.ndim == 2 and inputs.target.ndim == 1
    client, run_id = run.store.client, run.run_id
    logged = client.create_logged_model(run.experiment, name=NAME, source_run_id=run_id, model_type=run.tags["kind"])
    try:
        client.log_model_artifacts(logged.model_id, str(folder))
        with tempfile.TemporaryDirectory() as described:
            _describe(
                Path(described), file, logged.model_id, run_id, _signature(file, inputs, outputs, column), probable
            )
            client.log_model_artifacts(logged.model_id, described)
        client.finalize_logged_model(logged.model_id, "READY")
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    except BaseException:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise


def model_file(folder: Path) -> Path:
    """The one model in a contender's folder; of a blend, its description.

    Raises:
        BadInput: there is none, or there are two.
    """
    if (folder / PARTS).is_dir() and (folder / BLEND).is_file():
        return folder / BLEND
    found = [folder / name for name in FILES if (folder / name).is_file()]
    if len(found) != 1:
        raise BadInput(
            f"{folder} holds {len(found) or 'no'} model{'s' if found else ''}; "
            f"a saved contender has one of {' or '.join(FILES)}"
        )
    return found[0]


def _describe(folder: Path, file: Path, model_id: str, run_id: str, signature: Any, probable: bool) -> None:
    """Write `MLmodel` and the environment files beside where the model will be."""
    from mlflow import pyfunc
    from mlflow.models import Model

    installed = versions()
    libraries = FILES.get(file.name) or dict.fromkeys(name for needed in FILES.values() for name in needed)
    requirements = [f"{name}=={installed[name]}" for name in ("mlflow", *libraries) if name in installed]
    # Tapeline itself is named here and not as a requirement: a name is only safe to install once it is published.
    model = Model(run_id=run_id, model_id=model_id, signature=signature, metadata={"tapeline": pipelines.__version__})
    model.model_size_bytes = file.stat().st_size
    environment = {"conda_env": "conda.yaml", "python_env": "python_env.yaml"}
    if file.suffix == ".keras":
        model.add_flavor(
            "keras", data=file.stem, keras_version=installed["keras"], keras_backend="tensorflow",
            save_exported_model=False,
        )  # fmt: skip
        if all(entry.type.kind in "biuf" for entry in signature.inputs.inputs):  # its wrapper cannot pass texts on
            pyfunc.add_to_model(model, loader_module="mlflow.keras", **environment)
    elif file.suffix == ".skops":
        import skops.io

        model.add_flavor(
            "sklearn", pickled_model=file.name, sklearn_version=installed["scikit-learn"], code=None,
            serialization_format="skops", skops_trusted_types=skops.io.get_untrusted_types(file=file),
        )  # fmt: skip
        predict = "predict_proba" if probable else "predict"
        pyfunc.add_to_model(
            model, loader_module="mlflow.sklearn", model_path=file.name, predict_fn=predict, **environment
        )
    model.save(str(folder / "MLmodel"))
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    python = platform.python_version()
    conda = {"name": "tapeline", "dependencies": [f"python={python}", "pip", {"pip": requirements}]}
    virtual = {"python": python, "dependencies": ["-r requirements.txt"]}
    for name, content in (("conda.yaml", conda), ("python_env.yaml", virtual)):
        (folder / name).write_text(json.dumps(content, indent=1) + "\n")  # JSON is YAML


def _signature(file: Path, inputs: Examples, outputs: Predictions, column: str | None) -> Any:
    """Names, types and shapes of what goes in and comes out."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    def tensor(values: Any, name: str | None = None) -> Any:
        kind = np.dtype("str") if values.dtype == object else values.dtype
        return TensorSpec(kind, (-1, *values.shape[1:]), name)

    first = {name: np.asarray(values[:1]) for name, values in inputs.columns.items()}
    if column is not None:
        schema = Schema([tensor(first[column])])
    elif file.suffix == ".keras" or all(values.ndim > 1 for values in first.values()):  # a blend reads pictures too
        schema = Schema([tensor(values, name) for name, values in first.items()])
    else:
        schema = Schema(
            [ColSpec("string" if v.dtype == object else "double", name) for name, v in first.items() if v.ndim == 1]
        )
    return ModelSignature(inputs=schema, outputs=Schema([tensor(outputs.values)]))
