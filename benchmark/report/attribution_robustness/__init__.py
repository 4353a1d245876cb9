"""How attributions fare under perturbations: table, section of the page, figures."""
