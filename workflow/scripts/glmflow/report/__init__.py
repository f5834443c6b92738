"""The report: one folder of pages, tables and figures that opens by double click, made from files only."""

from .report_inputs import ReportInputs
from .run_folder import RunFolder
from .write import write_report

__all__ = ["ReportInputs", "RunFolder", "write_report"]
