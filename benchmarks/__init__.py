"""Speed, measured against peers in the same run. Ratios count; seconds depend on the machine and who shares it."""
