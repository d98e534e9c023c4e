// Jobs for SheetJS: node sheetjs.cjs < [{source, target, steps: [[verb, ...], ...]}, ...]
const XLSX = require('xlsx')
const fs = require('fs')

const rowsOf = (sheet) => XLSX.utils.sheet_to_json(sheet, { header: 1, defval: null })

const verbs = {
  set(book, name, address, value) {
    const sheet = book.Sheets[name]
    if (value === null) delete sheet[address]
    else sheet[address] = { t: typeof value === 'number' ? 'n' : 's', v: value }
  },
  sort(book, name, header) {
    const [headers, ...rows] = rowsOf(book.Sheets[name])
    const place = headers.indexOf(header)
    rows.sort((a, b) => (b[place] ?? 0) - (a[place] ?? 0))
    book.Sheets[name] = XLSX.utils.aoa_to_sheet([headers, ...rows])
  },
  filter(book, name, header, text) {
    const sheet = book.Sheets[name]
    const [headers, ...rows] = rowsOf(sheet)
    const place = headers.indexOf(header)
    sheet['!rows'] = [{}, ...rows.map((row) => ({ hidden: row[place] !== text }))]
    sheet['!autofilter'] = { ref: sheet['!ref'] }
  },
  delete_row(book, name, row) {
    const rows = rowsOf(book.Sheets[name])
    rows.splice(row - 1, 1)
    book.Sheets[name] = XLSX.utils.aoa_to_sheet(rows)
  },
  add_row(book, name, values) {
    XLSX.utils.sheet_add_aoa(book.Sheets[name], [values], { origin: -1 })
  },
  copy_sheet(book, name, to) {
    XLSX.utils.book_append_sheet(book, structuredClone(book.Sheets[name]), to)
  },
  delete_sheet(book, name) {
    book.SheetNames = book.SheetNames.filter((one) => one !== name)
    delete book.Sheets[name]
    if (book.Workbook?.Sheets) book.Workbook.Sheets = book.Workbook.Sheets.filter((one) => one.name !== name)
  },
}

for (const job of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  const book = XLSX.readFile(job.source, { cellStyles: true })
  for (const [verb, ...words] of job.steps) verbs[verb](book, ...words)
  XLSX.writeFile(book, job.target)
}
