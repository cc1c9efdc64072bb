"""From recipe files and overrides to one composed tree: Hydra's composition, its limits, and YAML files."""
