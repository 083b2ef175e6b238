"""How a run happens. Knows no domain: `domains/` says what is learned."""

__version__ = "0.1.0"
