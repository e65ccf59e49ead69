"""From a hospital's imaging archive to a research data set that its privacy office will sign."""
