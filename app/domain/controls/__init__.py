"""Controls: the same measurements of models where label errors should have no effect, or where chance decides."""
