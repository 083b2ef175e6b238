"""Saving a classical model costs no more memory where PyTorch is installed."""

import subprocess
import sys

FOLLOWED = """
import sys
asked = []
class Watcher:  # whether or not it is installed
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            asked.append(name)
            raise ImportError("not in this test")
sys.meta_path.insert(0, Watcher())
from pipelines.contenders.skops_io import SHIM, skops_io
from sklearn.linear_model import LinearRegression
model = skops_io().loads(skops_io().dumps(LinearRegression(fit_intercept=False)))
print(asked, model.fit_intercept, SHIM in sys.modules)
"""


def test_skops_is_imported_without_pytorch():
    printed = subprocess.run([sys.executable, "-c", FOLLOWED], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[] False False"
