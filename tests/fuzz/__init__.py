"""Bytes nobody meant as a workbook, for the reader and the validator."""
