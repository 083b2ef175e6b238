"""Runs that nobody will end: their process was killed outright, by the kernel or by SIGKILL, and left them RUNNING."""

from __future__ import annotations

from pipelines.tracking.provenance import has_ended
from pipelines.tracking.store import Store

REASON = "the process ended without a word (killed, or out of memory)"


def close_stale(store: Store, experiment: str) -> list[str]:
    """End the experiment's RUNNING runs whose process, on this machine, is gone; returns their ids.

    Sound because each run names its host, process number and start time: a run of another machine, or one whose
    process number was given to a newer process, is never mistaken.
    """
    running = store.client.search_runs([experiment], "attributes.status = 'RUNNING'", max_results=1000)
    closed = []
    for run in running:
        process = run.data.tags.get("process", "")
        if process and has_ended(process):
            store.client.set_tag(run.info.run_id, "failure", REASON)
            store.client.set_terminated(run.info.run_id, "KILLED")
            closed.append(str(run.info.run_id))
    return closed
