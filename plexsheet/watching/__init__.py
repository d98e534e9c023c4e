"""The watched folder: saving a workbook imports it, unattended, for months.

Three rules hold it together.

* A look at the folder decides, an event only says when to look.  Events are lost,
  doubled and reordered by editors, network shares and containers; a look is not.
* Only a private copy in ``working/`` is ever read, and every step to come is on disk
  before it is taken, so that a restart at any moment goes on where it was.
* The process that watches stays small and opens no workbook.  Imports run in a worker
  process that ends when there is nothing to do: memory stays flat over months, idle
  costs nothing, and a file that crashes its reader cannot take the watcher along.
"""
