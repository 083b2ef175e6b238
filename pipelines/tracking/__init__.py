"""The only importer of MLflow: writing runs and reading them back."""
