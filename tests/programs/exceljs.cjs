// Jobs for ExcelJS: node exceljs.cjs < [{source, target, steps: [[verb, ...], ...]}, ...]
const ExcelJS = require('exceljs')
const fs = require('fs')

// Rows that move take values along; ExcelJS does not rewrite the formulas of moved cells.
const plain = (value) => (value?.formula || value?.sharedFormula ? value.result ?? null : value)
const rowsOf = (sheet) => {
  const rows = []
  sheet.eachRow((row) => {
    const cells = []
    row.eachCell({ includeEmpty: true }, (cell, place) => { cells[place - 1] = plain(cell.value) })
    rows.push(cells)
  })
  return rows
}
const put = (sheet, rows) => {
  const last = sheet.rowCount
  rows.forEach((cells, place) => {
    for (let column = 1; column <= sheet.columnCount; column += 1) {
      sheet.getCell(place + 1, column).value = cells[column - 1] ?? null
    }
  })
  for (let row = rows.length + 1; row <= last; row += 1) {
    for (let column = 1; column <= sheet.columnCount; column += 1) sheet.getCell(row, column).value = null
  }
}

const verbs = {
  set(book, name, address, value) { book.getWorksheet(name).getCell(address).value = value },
  sort(book, name, header) {
    const sheet = book.getWorksheet(name)
    const [headers, ...rows] = rowsOf(sheet)
    const place = headers.indexOf(header)
    rows.sort((a, b) => (b[place] ?? 0) - (a[place] ?? 0))
    put(sheet, [headers, ...rows])
  },
  filter(book, name, header, text) {
    const sheet = book.getWorksheet(name)
    const place = rowsOf(sheet)[0].indexOf(header)
    sheet.eachRow((row, number) => { if (number > 1) row.hidden = row.getCell(place + 1).value !== text })
  },
  delete_row(book, name, row) {
    const sheet = book.getWorksheet(name)
    const rows = rowsOf(sheet)
    rows.splice(row - 1, 1)
    put(sheet, rows)
  },
  add_row(book, name, values) {
    const sheet = book.getWorksheet(name)
    const row = sheet.rowCount + 1
    values.forEach((value, place) => { sheet.getCell(row, place + 1).value = value })
  },
  copy_sheet(book, name, to) {
    put(book.addWorksheet(to), [])
    book.getWorksheet(to).addRows(rowsOf(book.getWorksheet(name)))
  },
  delete_sheet(book, name) { book.removeWorksheet(name) },
}

async function main() {
  for (const job of JSON.parse(fs.readFileSync(0, 'utf8'))) {
    const book = new ExcelJS.Workbook()
    await book.xlsx.readFile(job.source)
    for (const [verb, ...words] of job.steps) verbs[verb](book, ...words)
    await book.xlsx.writeFile(job.target)
  }
}

main().catch((error) => { console.error(error); process.exit(1) })
