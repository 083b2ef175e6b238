"""What a run leaves: the report document, figures and pages."""
