"""Pictures and measurements of patients."""
