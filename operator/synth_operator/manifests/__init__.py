"""Pure builders of what the operator makes: Jobs of four kinds and the ConfigMap with their input."""
