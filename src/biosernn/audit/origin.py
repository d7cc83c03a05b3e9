"""Where the cohort comes from, to the version and the hash."""

from biosernn.audit.check import Check, Verdict
from biosernn.cohort.cohort import Cohort

NAME = "origin"
THRESHOLD = "ok: the source and its version are known"
MEANING = {
    "ok": "The cohort can be made again, and told from any other.",
    "caution": "The cohort cannot be traced to a version of its source: nobody can make it again.",
}


def check(cohort: Cohort) -> Check:
    """See whether source and version are stated, and give the content's hash."""
    kind, version = (cohort.provenance.get(name) for name in ("kind", "version"))
    files = cohort.provenance.get("files") or {}
    stated = [value for value in (kind, version) if value is not None]
    verdict: Verdict = "ok" if len(stated) == 2 else "caution"
    missing = f"; missing: {', '.join(cohort.missing)}" if cohort.missing else ""
    return Check(
        NAME,
        verdict,
        len(files),
        "files hashed",
        THRESHOLD,
        MEANING[verdict],
        f"{' '.join(map(str, stated)) or 'unstated'}; content sha256 {cohort.content_sha256}"
        f"{missing}",
    )
