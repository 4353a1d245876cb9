"""What several perturbations use."""
