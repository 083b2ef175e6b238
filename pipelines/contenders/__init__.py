"""Who competes: networks trained by the tape, and the classical models that they have to beat."""
