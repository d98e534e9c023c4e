"""Write workbooks: the export, the result, the CSV files."""
