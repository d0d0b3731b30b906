"""Charts of the report: hand-made SVG in one style, each a function of plain values and a width."""
