"""Intersection over union, counted apart from vkseg's own counter so that each checks the other."""

import numpy as np

import classes


class Confusion:
    """Pixels by labelled class (row) and predicted class (column)."""

    def __init__(self):
        self.counts = np.zeros((classes.COUNT, classes.OUTPUTS), np.int64)

    def add(self, labels, predicted):
        known = labels != classes.IGNORED
        pairs = labels[known].astype(np.int64) * classes.OUTPUTS + predicted[known]
        self.counts += np.bincount(pairs, minlength=self.counts.size).reshape(self.counts.shape)

    def iou(self):
        """One for each class; NaN where a class is neither labelled nor predicted."""
        right = np.diagonal(self.counts).astype(float)
        union = self.counts.sum(1) + self.counts[:, : classes.COUNT].sum(0) - right
        return np.divide(right, union, out=np.full(classes.COUNT, np.nan), where=union > 0)

    def mean_iou(self):
        iou = self.iou()
        return float(np.nanmean(iou)) if np.isfinite(iou).any() else 0.0

    def accuracy(self):
        return float(np.diagonal(self.counts).sum() / max(1, self.counts.sum()))

    def labelled(self):
        return self.counts.sum(1)
