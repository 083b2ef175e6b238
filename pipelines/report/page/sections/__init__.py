"""The sections of the page, one function each. A section that its report has no part for is None."""
