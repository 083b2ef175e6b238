"""The plan of the house, held by reading every import: who may import whom, and what must stay cheap to import."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

OBJECTIVE, EXAMPLES, DOCUMENT, CONTENDER, TUNING = (
    "pipelines.objectives.objective",
    "pipelines.data.examples",
    "pipelines.report.document",
    "pipelines.contenders.contender",
    "pipelines.report.tuning",
)
STUDY, DRAWING = "pipelines.report.study", "pipelines.report.drawing"
POINTS, LENDING = "pipelines.points", "pipelines.report.lending"
ALERTS = "pipelines.report.alerts"
EXPLANATION = "pipelines.report.explanation"
ALERTS, OVERSIGHT = "pipelines.report.alerts", "pipelines.report.oversight"
OPERATING, ROBUSTNESS = "pipelines.report.operating", "pipelines.report.robustness"

ALLOWED = {
    "pipelines.errors": (),
    "pipelines.space": (),
    "pipelines.recipe": ("pipelines.errors",),
    "pipelines.points": (),
    "pipelines.protocol": ("pipelines.errors", POINTS),
    "pipelines.card": ("pipelines.errors",),
    "pipelines.task": (
        "pipelines.errors", "pipelines.recipe", "pipelines.protocol", "pipelines.space", "pipelines.card",
    ),
    "pipelines.settings": ("pipelines.errors", "pipelines.task"),
    "pipelines.catalogue": ("pipelines.errors", "pipelines.task"),
    "pipelines.data": ("pipelines.errors", "pipelines.task", "pipelines.data", DOCUMENT),
    "pipelines.objectives": (
        "pipelines.errors", "pipelines.objectives", "pipelines.evaluation.scores", "pipelines.evaluation.thresholds",
        "pipelines.evaluation.portfolio", "pipelines.evaluation.grades",
    ),
    "pipelines.models": (
        "pipelines.errors", "pipelines.space", "pipelines.task", "pipelines.models", EXAMPLES, OBJECTIVE,
    ),
    "pipelines.training": ("pipelines.errors", "pipelines.task", "pipelines.training", "pipelines.data.batches"),
    "pipelines.contenders": (
        "pipelines.errors", "pipelines.space", "pipelines.task", "pipelines.contenders", "pipelines.data",
        "pipelines.objectives", "pipelines.models", "pipelines.training", DOCUMENT, TUNING, POINTS, LENDING,
    ),
    "pipelines.hardware": ("pipelines.training", "pipelines.report.machine"),
    "pipelines.journal": (
        "pipelines.errors", "pipelines.contenders", "pipelines.training.checkpoint", EXAMPLES, OBJECTIVE, DOCUMENT,
        "pipelines.objectives.calibration", "pipelines.objectives.group_thresholds", "pipelines.objectives.referral",
        "pipelines.objectives.automation", "pipelines.objectives.operating", "pipelines.evaluation.directions", TUNING,
        EXPLANATION, "pipelines.evaluation.robustness", "pipelines.report.strangers",
    ),
    "pipelines.explanation": (
        "pipelines.errors", "pipelines.explanation", "pipelines.contenders", EXAMPLES, "pipelines.data.cells",
        "pipelines.objectives", "pipelines.models.inputs", "pipelines.models.augmentation", "pipelines.training.plan",
        "pipelines.evaluation", DOCUMENT, EXPLANATION,
    ),
    "pipelines.study_journal": (
        "pipelines.contenders.saved", "pipelines.evaluation.outcome", "pipelines.objectives.objective", DOCUMENT,
    ),
    "pipelines.evaluation": (
        "pipelines.errors", "pipelines.task", "pipelines.evaluation", EXAMPLES, OBJECTIVE, DOCUMENT, STUDY, LENDING,
        ALERTS, OVERSIGHT, OPERATING, ROBUSTNESS,
    ),
    "pipelines.tracking": (
        "pipelines", "pipelines.errors", "pipelines.tracking", DOCUMENT, STUDY, CONTENDER, TUNING, OVERSIGHT, DRAWING,
        OPERATING,
    ),
    "pipelines.report": ("pipelines.report", "pipelines.evaluation", "pipelines.card", OBJECTIVE, CONTENDER, POINTS),
    "domains": (
        "pipelines.space", "pipelines.task", "pipelines.data", "pipelines.objectives", "pipelines.models",
        "pipelines.contenders",
    ),
}  # fmt: skip
"""Room -> what it may import of ours. What composes may import anything."""

COMPOSERS = (
    "pipelines.cases",
    "pipelines.run",
    "pipelines.tuning",
    "pipelines.compete",
    "pipelines.command",
    "pipelines.recording",
    "pipelines.assist",
    "pipelines.prepare",
    "pipelines.heeded",
    "pipelines.lending",
    "pipelines.operating",
    "pipelines.oversight",
    "pipelines.private",
    "pipelines.robustness",
    "pipelines.shadows",
    "pipelines.strangers",
    "pipelines.study",
    "pipelines.operations",
    "pipelines.cli",
)


def modules() -> list[str]:
    files = [*ROOT.glob("pipelines/**/*.py"), *ROOT.glob("domains/**/*.py")]
    return sorted(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files)


@cache
def imports_of(module: str) -> tuple[str, ...]:
    """Everything the module imports when it runs, also inside functions; not what only type checkers read."""
    path = ROOT / Path(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            parent = str(node.module)
            names = [f"{parent}.{alias.name}" for alias in node.names]
            found.extend(name if name in known() else parent for name in names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(file.read_text()))
    return tuple(found)


@cache
def known() -> frozenset[str]:
    return frozenset(modules())


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or (place != "pipelines" and name.startswith(f"{place}.")) for place in places)


def room_of(module: str) -> str | None:
    return next((room for room in ALLOWED if within(module, (room,))), None)


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_its_room_may(module):
    ours = [name for name in imports_of(module) if name.split(".")[0] in ("pipelines", "domains")]
    if module in ("pipelines", "domains") or within(module, COMPOSERS):
        return
    room = room_of(module)
    assert room, f"{module} is in no room; add it to the table and to the plan"
    wrong = [name for name in ours if not within(name, ALLOWED[room])]
    assert not wrong, f"{module} imports {wrong}, which {room} may not"


def test_only_tracking_imports_mlflow():
    users = [module for module in modules() if any(name.split(".")[0] == "mlflow" for name in imports_of(module))]
    assert users
    assert all(within(module, ("pipelines.tracking",)) for module in users)


def test_evaluation_and_task_know_neither_tensorflow_nor_mlflow():
    for module in modules():
        if within(module, ("pipelines.evaluation", "pipelines.task")):
            heavy = {name.split(".")[0] for name in imports_of(module)} & {"tensorflow", "keras", "mlflow"}
            assert not heavy, f"{module} imports {heavy}"


def test_no_module_imports_itself_in_a_circle():
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"circle: {' > '.join((*path, module))}"
        if module not in done:
            for name in imports_of(module):
                if name in known():
                    walk(name, (*path, module))
            done.add(module)

    for module in modules():
        walk(module, ())


def test_importing_every_task_imports_nothing_heavy():
    """`tapeline list` imports every task; TensorFlow alone would cost it seconds."""
    tasks = [module for module in modules() if module.startswith("domains.")]
    code = (
        "import importlib, sys\n"
        f"for name in {tasks!r} + ['pipelines.cli.main']: importlib.import_module(name)\n"
        "heavy = {'tensorflow', 'keras', 'tensorflow_datasets', 'pandas', 'sklearn', 'scipy', 'mlflow', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_every_file_fits_in_the_head():
    long = {str(file.relative_to(ROOT)): n for file in ROOT.glob("pipelines/**/*.py")
            if (n := len(file.read_text().splitlines())) > 400}  # fmt: skip
    assert not long
