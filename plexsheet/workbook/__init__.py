"""The workbook: its columns, writing it, reading it back, judging every edit."""
