"""Writes every golden file anew: workbooks and reports."""

from __future__ import annotations

from tests.golden import reports, workbooks

workbooks.renew()
reports.renew()
