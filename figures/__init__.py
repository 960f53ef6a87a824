"""Figures: pictures from result tables."""
