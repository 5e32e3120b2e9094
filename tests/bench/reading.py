"""Reads one PDF of so many pages and prints how fast, and in how much memory: `python -m tests.bench.reading PAGES`."""

from __future__ import annotations

import json
import resource
import sys
import time

from maverik_backend.core.deadline import Deadline
from maverik_backend.core.documents.reading import read_passages
from maverik_backend.core.documents.sniffing import MediaType
from tests.support.pdf import make_pdf

_SENTENCE = "El fondo invierte en títulos públicos y privados de renta fija, con una duración media de dos años. "


def main() -> None:
    pages = int(sys.argv[1])
    content = make_pdf(*(f"Página {number}. " + _SENTENCE * 24 for number in range(1, pages + 1)))
    began = time.perf_counter()
    passages = read_passages(content, MediaType.PDF, on_page=lambda *_: None, deadline=Deadline.after(300))
    took_s = time.perf_counter() - began
    told = {
        "pages_per_s": pages / took_s,
        "passages": len(passages),
        "seconds": took_s,
        "memory_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
