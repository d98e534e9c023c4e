"""What a workbook of plexsheet looks like: sheets, columns, cells, styles, formulas."""
