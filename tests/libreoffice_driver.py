"""The half that speaks UNO: run by the interpreter LibreOffice comes with, steered by JSON lines.

    /usr/bin/python3 tests/libreoffice_driver.py PROFILE_DIR PIPE_NAME

Starts a private LibreOffice, then answers one request per line,
``{"verb": "values", "args": [...]}``, with ``{"answer": ...}`` or ``{"error": ...}``.
Imports nothing of this project: the interpreter outside has none of its libraries.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":  # test collection imports this file with another interpreter
    import uno
    from com.sun.star.beans import PropertyValue
    from com.sun.star.sheet.CellDeleteMode import UP
    from com.sun.star.sheet.FilterOperator import EQUAL

FILTERS = {
    ".xlsx": ("Calc MS Excel 2007 XML", ""),
    ".xlsm": ("Calc MS Excel 2007 VBA XML", ""),
    ".xls": ("MS Excel 97", ""),
    ".ods": ("calc8", ""),
    ".fods": ("OpenDocument Spreadsheet Flat XML", ""),
    ".pdf": ("calc_pdf_Export", ""),
    # comma, double quote, UTF-8, first sheet only
    ".csv": ("Text - txt - csv (StarCalc)", "44,34,76,1,,0,false,true,false"),
}
ENTRY_TYPES = ("condition", "colour scale", "data bar", "icon set", "date")


def properties(**values):
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


def url(path):
    return uno.systemPathToFileUrl(str(Path(path).absolute()))


def start(profile, pipe, window=False):
    office = subprocess.Popen(
        [
            "soffice",
            *(() if window else ("--headless", "--invisible")),
            "--norestore",
            "--nologo",
            "--nofirststartwizard",
            f"--accept=pipe,name={pipe};urp;",
            f"-env:UserInstallation={url(profile)}",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    resolver = uno.getComponentContext().ServiceManager.createInstance(
        "com.sun.star.bridge.UnoUrlResolver"
    )
    deadline = time.monotonic() + 90
    while True:
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return office, context.ServiceManager.createInstance("com.sun.star.frame.Desktop")
        except Exception:
            if time.monotonic() > deadline or office.poll() not in (None, 81):
                raise
            time.sleep(0.2)


class Driver:
    def __init__(self, desktop):
        self.desktop = desktop
        self.documents = {}
        self.opened = 0

    # documents
    def open(self, path):
        document = self.desktop.loadComponentFromURL(
            url(path), "_blank", 0, properties(Hidden=False, ReadOnly=False, MacroExecutionMode=0)
        )
        if document is None:
            raise RuntimeError(f"LibreOffice does not open {path}")
        self.opened += 1
        self.documents[self.opened] = document
        return self.opened

    def store(self, doc):
        self.documents[doc].store()

    def store_to(self, doc, path):
        name, options = FILTERS[Path(path).suffix]
        self.documents[doc].storeToURL(
            url(path), properties(FilterName=name, FilterOptions=options, Overwrite=True)
        )

    def store_as(self, doc, path):
        name, options = FILTERS[Path(path).suffix]
        self.documents[doc].storeAsURL(
            url(path), properties(FilterName=name, FilterOptions=options, Overwrite=True)
        )

    def close(self, doc):
        self.documents.pop(doc).close(True)

    def recalculate(self, doc):
        self.documents[doc].calculateAll()

    # sheets
    def sheet(self, doc, name):
        return self.documents[doc].Sheets.getByName(name)

    def sheets(self, doc):
        return [
            {"name": s.Name, "visible": bool(s.IsVisible), "protected": bool(s.isProtected())}
            for s in self.documents[doc].Sheets
        ]

    def copy_sheet(self, doc, name, to):
        sheets = self.documents[doc].Sheets
        sheets.copyByName(name, to, sheets.Count)

    def delete_sheet(self, doc, name):
        self.documents[doc].Sheets.removeByName(name)

    def add_row(self, doc, name, values):
        sheet = self.sheet(doc, name)
        _, rows = self.used(sheet)
        for x, value in enumerate(values):
            if value is not None:
                self.put(sheet.getCellByPosition(x, rows), value)

    def rename_sheet(self, doc, name, to):
        self.sheet(doc, name).Name = to

    def add_sheet(self, doc, name, rows):
        sheets = self.documents[doc].Sheets
        sheets.insertNewByName(name, sheets.Count)
        sheet = sheets.getByName(name)
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                self.put(sheet.getCellByPosition(x, y), value)

    def used(self, sheet):
        cursor = sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        address = cursor.RangeAddress
        return address.EndColumn + 1, address.EndRow + 1

    def area(self, sheet, cells):
        if cells:
            return sheet.getCellRangeByName(cells)
        columns, rows = self.used(sheet)
        return sheet.getCellRangeByPosition(0, 0, columns - 1, rows - 1)

    def table(self, sheet):
        """Header and rows below it, as wide as the header and as long as the first column."""
        columns, rows = self.used(sheet)
        header = sheet.getCellRangeByPosition(0, 0, columns - 1, 0).DataArray[0]
        width = max(i for i, text in enumerate(header) if text != "") + 1
        return sheet.getCellRangeByPosition(0, 0, width - 1, rows - 1), list(header[:width])

    def column(self, sheet, header):
        return self.table(sheet)[1].index(header)

    # cells
    def values(self, doc, name, cells):
        return [list(row) for row in self.area(self.sheet(doc, name), cells).DataArray]

    def formulas(self, doc, name, cells):
        return [list(row) for row in self.area(self.sheet(doc, name), cells).FormulaArray]

    def cell(self, doc, name, address):
        cell = self.sheet(doc, name).getCellRangeByName(address)
        formats = self.documents[doc].NumberFormats
        return {
            "type": cell.Type.value,
            "value": cell.Value,
            "string": cell.String,
            "formula": cell.Formula,
            "error": cell.getError(),
            "background": cell.CellBackColor,
            "color": cell.CharColor,
            "bold": cell.CharWeight > 100,
            "format": formats.getByKey(cell.NumberFormat).FormatString,
        }

    def put(self, cell, value):
        if value is None:
            cell.clearContents(1 | 2 | 4 | 16)  # numbers, dates, texts, formulas; formats stay
        elif isinstance(value, dict):
            cell.Formula = value["formula"]
        elif isinstance(value, bool):
            cell.Formula = "=TRUE()" if value else "=FALSE()"
        elif isinstance(value, (int, float)):
            cell.Value = value
        else:
            cell.String = value

    def set(self, doc, name, address, value):
        self.put(self.sheet(doc, name).getCellRangeByName(address), value)

    def set_by_key(self, doc, name, key, header, value, key_header):
        sheet = self.sheet(doc, name)
        at = self.column(sheet, key_header)
        _, rows = self.used(sheet)
        keys = [row[0] for row in sheet.getCellRangeByPosition(at, 0, at, rows - 1).DataArray]
        self.put(sheet.getCellByPosition(self.column(sheet, header), keys.index(key)), value)

    def type_in(self, doc, name, address, text):
        """As typed by a person: LibreOffice decides what it is."""
        self.sheet(doc, name).getCellRangeByName(address).Formula = text

    # what a person does to a table
    def sort(self, doc, name, header, descending, alone):
        sheet = self.sheet(doc, name)
        area, headers = self.table(sheet)
        field = headers.index(header)
        if alone:
            rows = area.RangeAddress.EndRow
            area = sheet.getCellRangeByPosition(field, 1, field, rows)
        key = uno.createUnoStruct("com.sun.star.table.TableSortField")
        key.Field = 0 if alone else field
        key.IsAscending = not descending
        fields = uno.Any("[]com.sun.star.table.TableSortField", (key,))
        area.sort(properties(SortFields=fields, ContainsHeader=not alone, IsSortColumns=False))

    def filter(self, doc, name, header, text):
        sheet = self.sheet(doc, name)
        area, headers = self.table(sheet)
        descriptor = area.createFilterDescriptor(True)
        field = uno.createUnoStruct("com.sun.star.sheet.TableFilterField")
        field.Field, field.Operator, field.IsNumeric = headers.index(header), EQUAL, False
        field.StringValue = text
        descriptor.ContainsHeader = True
        descriptor.setFilterFields((field,))
        area.filter(descriptor)
        rows = area.RangeAddress.EndRow
        return sum(not sheet.Rows.getByIndex(i).IsVisible for i in range(1, rows + 1))

    def hide_rows(self, doc, name, first, last):
        sheet = self.sheet(doc, name)
        for row in range(first, last + 1):
            sheet.Rows.getByIndex(row - 1).IsVisible = False

    def rename_header(self, doc, name, header, to):
        sheet = self.sheet(doc, name)
        sheet.getCellByPosition(self.column(sheet, header), 0).String = to

    def move_column(self, doc, name, header, before):
        sheet = self.sheet(doc, name)
        target = self.column(sheet, before)
        sheet.Columns.insertByIndex(target, 1)
        _, rows = self.used(sheet)
        source = self.table(sheet)[1].index(header)
        moved = sheet.getCellRangeByPosition(source, 0, source, rows - 1).RangeAddress
        sheet.moveRange(sheet.getCellByPosition(target, 0).CellAddress, moved)
        sheet.Columns.removeByIndex(source, 1)

    def insert_column(self, doc, name, before, header, values):
        sheet = self.sheet(doc, name)
        at = self.table(sheet)[0].RangeAddress.EndColumn + 1
        if before:
            at = self.column(sheet, before)
            sheet.Columns.insertByIndex(at, 1)
        for row, value in enumerate([header, *values]):
            self.put(sheet.getCellByPosition(at, row), value)

    def delete_column(self, doc, name, header):
        sheet = self.sheet(doc, name)
        sheet.Columns.removeByIndex(self.column(sheet, header), 1)

    def insert_rows(self, doc, name, before, count):
        self.sheet(doc, name).Rows.insertByIndex(before - 1, count)

    def delete_rows(self, doc, name, first, count):
        self.sheet(doc, name).Rows.removeByIndex(first - 1, count)

    def delete_cell_up(self, doc, name, address):
        sheet = self.sheet(doc, name)
        sheet.removeRange(sheet.getCellRangeByName(address).RangeAddress, UP)

    # what is there to see
    def freeze(self, doc, name):
        controller = self.documents[doc].CurrentController
        controller.setActiveSheet(self.sheet(doc, name))
        if not controller.hasFrozenPanes():
            return [0, 0]
        return [controller.SplitColumn, controller.SplitRow]

    def columns(self, doc, name):
        sheet = self.sheet(doc, name)
        headers = self.table(sheet)[1]
        return [
            {
                "header": header,
                "width_mm": sheet.Columns.getByIndex(i).Width / 100,
                "visible": bool(sheet.Columns.getByIndex(i).IsVisible),
            }
            for i, header in enumerate(headers)
        ]

    def validation(self, doc, name, address):
        rule = self.sheet(doc, name).getCellRangeByName(address).Validation
        return {
            "type": rule.Type.value,
            "operator": rule.getOperator().value,
            "formula1": rule.getFormula1(),
            "formula2": rule.getFormula2(),
            "error_title": rule.ErrorTitle,
            "error": rule.ErrorMessage,
            "input_title": rule.InputTitle,
            "input": rule.InputMessage,
            "shows_error": bool(rule.ShowErrorMessage),
            "list": bool(rule.ShowList),
            "alert": rule.ErrorAlertStyle.value,
            "ignore_blank": bool(rule.IgnoreBlankCells),
        }

    def conditional_formats(self, doc, name):
        found = []
        for item in self.sheet(doc, name).ConditionalFormats.getConditionalFormats():
            where = item.Range.RangeAddressesAsString
            for index in range(item.Count):
                entry = item.getByIndex(index)
                kind = ENTRY_TYPES[entry.getType()]
                one = {"range": re.sub(r"\$?[^.,;]*\.", "", where), "kind": kind}
                if kind == "condition":
                    one |= {
                        "formula": entry.Formula1,
                        "operator": entry.Operator,
                        "style": entry.StyleName,
                    }
                    one |= self.style(doc, entry.StyleName)
                found.append(one)
        return found

    def style(self, doc, name):
        style = self.documents[doc].StyleFamilies.getByName("CellStyles").getByName(name)
        return {"background": style.CellBackColor, "color": style.CharColor}

    def notes(self, doc, name):
        found = []
        for note in self.sheet(doc, name).Annotations:
            at = note.Position
            found.append({"column": at.Column, "row": at.Row, "text": note.String})
        return found

    def charts(self, doc, name):
        found = []
        for chart in self.sheet(doc, name).Charts:
            inside = chart.EmbeddedObject
            series = []
            for system in inside.getFirstDiagram().getCoordinateSystems():
                for kind in system.getChartTypes():
                    for one in kind.getDataSeries():
                        points = [list(q.getValues().getData()) for q in one.getDataSequences()]
                        series.append(
                            {"kind": kind.getChartType().rsplit(".", 1)[-1], "points": points}
                        )
            title = inside.getTitle().String if inside.HasMainTitle else ""
            found.append({"title": title, "series": series})
        return found

    def tables(self, doc):
        found = []
        for area in self.documents[doc].DatabaseRanges:
            address = area.DataArea
            found.append(
                {
                    "name": area.Name,
                    "sheet": address.Sheet,
                    "columns": [address.StartColumn, address.EndColumn],
                    "rows": [address.StartRow, address.EndRow],
                    "autofilter": bool(area.AutoFilter),
                }
            )
        return found

    def properties(self, doc):
        custom = self.documents[doc].DocumentProperties.UserDefinedProperties
        return {item.Name: str(item.Value) for item in custom.PropertyValues}

    def page(self, doc, name):
        sheet = self.sheet(doc, name)
        style = self.documents[doc].StyleFamilies.getByName("PageStyles").getByName(sheet.PageStyle)
        rows = sheet.getTitleRows()
        return {
            "repeats_header": bool(sheet.getPrintTitleRows()),
            "title_rows": [rows.StartRow, rows.EndRow],
            "pages_wide": style.ScaleToPagesX,
            "landscape": bool(style.IsLandscape),
        }

    def picture(self, doc, name, cells, path):
        """A range of one sheet as a PDF of one page, cut to the range."""
        document = self.documents[doc]
        for sheet in document.Sheets:
            sheet.setPrintAreas(())
        sheet = self.sheet(doc, name)
        area = sheet.getCellRangeByName(cells)
        style = document.StyleFamilies.getByName("PageStyles").getByName(sheet.PageStyle)
        for side in ("Left", "Right", "Top", "Bottom"):
            setattr(style, f"{side}Margin", 300)
        style.HeaderIsOn = style.FooterIsOn = False
        style.PrintHeaders = style.PrintAnnotations = False
        style.IsLandscape = area.Size.Width > area.Size.Height
        style.Width, style.Height = area.Size.Width + 700, area.Size.Height + 700
        style.PageScale = 100
        sheet.setPrintAreas((area.RangeAddress,))
        sheet.setPrintTitleRows(False)
        name, _ = FILTERS[".pdf"]
        data = uno.Any(
            "[]com.sun.star.beans.PropertyValue", properties(Selection=area, ExportNotes=False)
        )
        document.storeToURL(url(path), properties(FilterName=name, FilterData=data))

    def show(self, doc, name, width, height):
        controller = self.documents[doc].CurrentController
        controller.Frame.ContainerWindow.setPosSize(0, 0, width, height, 15)
        controller.setActiveSheet(self.sheet(doc, name))
        controller.ZoomType, controller.ZoomValue = 3, 100
        controller.select(self.sheet(doc, name).getCellRangeByName("A2"))
        controller.setFirstVisibleRow(1)

    def errors(self, doc, name):
        """Addresses of formula cells whose result is an error."""
        found = []
        columns, rows = self.used(self.sheet(doc, name))
        area = self.sheet(doc, name).getCellRangeByPosition(0, 0, columns - 1, rows - 1)
        for cells in area.queryFormulaCells(4):  # FormulaResult.ERROR
            found.append(cells.AbsoluteName)
        return found


def say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main():
    office, desktop = start(sys.argv[1], sys.argv[2], window=len(sys.argv) > 3)
    driver = Driver(desktop)
    say({"answer": "ready"})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"answer": getattr(driver, request["verb"])(*request["args"])}
        except Exception as error:  # noqa: BLE001  (told to the other side)
            answer = {"error": f"{type(error).__name__}: {error}"}
        say(answer)
    try:
        desktop.terminate()
    except Exception:  # noqa: BLE001  (it is gone already)
        office.terminate()
    try:
        office.wait(20)
    except subprocess.TimeoutExpired:
        office.kill()


if __name__ == "__main__":
    main()
