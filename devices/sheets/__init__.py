"""The registry as sheets: CSV files and XLSX workbooks to plans, to SQL, and back.

The way in: a file becomes text cells with line numbers (`csv_file`, `xlsx_file`), the cells become values
(`columns`, `forms`, `table`), the values and what is known (`known`) become a plan (`plan`, `checks`), which
becomes rows to write (`writes`). Who would be lost is looked for (`reach`), and the rows are carried out
under the write lock (`carry_out`). The way out is
`export`.
"""

from devices.sheets.export import export_sheets
from devices.sheets.faults import Fault, FaultsFound, RegistryMoved
from devices.sheets.forms import FORMS
from devices.sheets.importing import Import, Imported, import_sheets

__all__ = [
    "FORMS",
    "Fault",
    "FaultsFound",
    "Import",
    "Imported",
    "RegistryMoved",
    "export_sheets",
    "import_sheets",
]
