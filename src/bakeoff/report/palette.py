"""Colours: one per group, the same everywhere in the report.

Chosen by search in OKLab so that all ten stay apart in normal sight and under simulated protanopia, deuteranopia and
tritanopia (Machado et al. 2009), each readable as text (contrast ≥ 4.5) on the page and on the shading; tests hold it.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#fdfcfa", "band": "#f1efea", "ink": "#1c1d20", "soft": "#5b5c60", "grid": "#e2dfd8", "line": "#c9c5bc", "tint": "#b7c6dc",
    "recurrent": "#3d58f4", "conv": "#b8421a", "hybrid": "#6700ca", "attention": "#00576d", "capsule": "#a13ea2", "dynamic": "#6b3b06",
    "memory": "#3d0010", "dense": "#13124e", "baseline": "#6b6b69", "pretrained": "#313338",
}
DARK: Mapping[str, str] = {
    "paper": "#15171a", "band": "#23262b", "ink": "#eceae6", "soft": "#a7a9ae", "grid": "#2b2e34", "line": "#474b53", "tint": "#33507a",
    "recurrent": "#2b9aff", "conv": "#f37e00", "hybrid": "#ce66d3", "attention": "#6dd6be", "capsule": "#ff476e", "dynamic": "#f7d83c",
    "memory": "#fbae81", "dense": "#b6befe", "baseline": "#8d8f95", "pretrained": "#e9e9ea",
}
GROUPS = ("recurrent", "conv", "hybrid", "attention", "capsule", "dynamic", "memory", "dense", "baseline", "pretrained")


def css(colours: Mapping[str, str]) -> str:
    """Custom properties: '--paper:#fdfcfa;…'."""
    return ";".join(f"--{name}:{value}" for name, value in colours.items())


def mark(group: str) -> str:
    """The class that gives an element its group's colour; a group of a plug-in that is not known is drawn in ink."""
    return f"g-{group}" if group in GROUPS else "g-other"
