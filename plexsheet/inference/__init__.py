"""Ratings the person would have given, from those they did give (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference.model import Evidence, Inference
from plexsheet.library import Library

Warm = Mapping[str, Any] | None


class Again(Protocol):
    """``infer`` for one library."""

    def __call__(
        self, evidence: Evidence, settings: InferenceSettings, warm: Warm = None
    ) -> Inference:
        """As ``infer``."""


def infer(
    library: Library,
    evidence: Evidence,
    settings: InferenceSettings,
    warm: Warm = None,
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
    return again_and_again(library, evidence, settings)(evidence, settings, warm)


def again_and_again(library: Library, evidence: Evidence, settings: InferenceSettings) -> Again:
    """``infer`` for one library with different ratings hidden; its names are read once.

    Args:
        library: the items.
        evidence: its decisions about twins and its counts of plays hold for every call.
        settings: its rules for twins and exclusions hold for every call.
    """
    from plexsheet.inference import twins

    found = twins.find(library, settings.twins, evidence.twin_decisions)
    designs: dict[bool, Any] = {}

    def infer(evidence: Evidence, settings: InferenceSettings, warm: Warm = None) -> Inference:
        if settings.model == "classic":
            from plexsheet.inference import classic

            inference = classic.infer(library, evidence, settings, twins=found)
        else:  # scipy's solvers are imported only here
            from plexsheet.inference import learned

            heard = settings.listening != "false"
            if heard not in designs:
                designs[heard] = learned.designed(library, evidence, settings, found)
            inference = learned.infer(
                library, evidence, settings, twins=found, design=designs[heard], warm=warm
            )
        if settings.twins.enabled:
            return inference
        none = twins.Twins.none(len(library.tracks))
        return replace(inference, twin_group=none.group, twin_evidence=none.evidence)

    return infer
