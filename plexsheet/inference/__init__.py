"""Ratings the person would have given, from those they did give (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from plexsheet.inference.model import Evidence, Inference, Settings
from plexsheet.library import Library


def infer(
    library: Library,
    evidence: Evidence,
    settings: Settings,
    warm: Mapping[str, Any] | None = None,
) -> Inference:
    """What the person would have given, for every item, by the model of the settings.

    Copies that share a Plex guid share one rating there, so they get one value even where
    twins are disabled; such twins are then not reported.

    Args:
        library: the items; of their ratings only those of ``evidence.manual`` are read.
        evidence: what the person rated, excluded and decided.
        settings: model and constants.
        warm: ``details["warm"]`` of the last run, which makes the learned model quicker.

    Returns:
        One proposal per item of each kind.
    """
    from plexsheet.inference import twins

    found = twins.find(library, settings.twins, evidence.twin_decisions)
    inference = _by_model(library, evidence, settings, found, warm)
    if settings.twins.enabled:
        return inference
    none = twins.Twins.none(len(library.tracks))
    return replace(inference, twin_group=none.group, twin_evidence=none.evidence)


def _by_model(
    library: Library, evidence: Evidence, settings: Settings, twins: Any, warm: Any
) -> Inference:
    """The model's outcome; scipy's solvers are imported only for the learned one."""
    if settings.model == "classic":
        from plexsheet.inference import classic

        return classic.infer(library, evidence, settings, twins=twins)
    from plexsheet.inference import learned

    return learned.infer(library, evidence, settings, twins=twins, warm=warm)
