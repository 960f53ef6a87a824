"""Sweeps: cells, trainings, the store and the engines that compute them."""
