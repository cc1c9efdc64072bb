"""The parts that measurement techniques share: their interface, feature values, the microscopes' view, environments."""
