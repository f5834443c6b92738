"""What every job of a study is doing: small JSON files written by the jobs, and one page made of them.

No server and no port: a job writes `status/{job}.json` below the study's results and, where it trains, `{job}.progress`,
and renders `status.html` again. Several processes and nodes can do so at once, as every file is replaced whole.
"""

from .job_state import JobStatus, expect_jobs, progress_path, write_progress
from .notes import note_job
from .page import write_page

__all__ = ["JobStatus", "expect_jobs", "note_job", "progress_path", "write_page", "write_progress"]
