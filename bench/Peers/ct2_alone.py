"""CTranslate2 with nothing beside it, for its peak memory: no tokenizer, no other library in the process.

usage: ct2_alone.py MODEL.ct2 TOKENS.txt --compute T --beam N --batch N --threads N --workers N --max-new N --min-new N
TOKENS.txt has a source a line, its pieces parted by spaces. Prints one JSON object with the peak of this process (VmHWM).
"""

import argparse
import json
import re
import time

import ctranslate2

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("tokens")
parser.add_argument("--compute")
for name in ("beam", "batch", "threads", "workers", "max-new", "min-new"):
    parser.add_argument("--" + name, type=int)
options = parser.parse_args()

started = time.perf_counter()
translator = ctranslate2.Translator(
    options.model,
    device="cpu",
    compute_type=options.compute,
    inter_threads=options.workers,
    intra_threads=options.threads,
)
loaded = time.perf_counter()
with open(options.tokens, encoding="utf-8") as file:
    source = [line.split() for line in file]
results = translator.translate_batch(
    source,
    beam_size=options.beam,
    max_batch_size=options.batch,
    max_decoding_length=options.max_new,
    min_decoding_length=max(1, options.min_new),
    return_end_token=True,
    max_input_length=0,
)
seconds = time.perf_counter() - loaded
with open("/proc/self/status", encoding="ascii") as file:
    peak = int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) // 1024
print(
    json.dumps(
        dict(
            peer="ct2",
            lines=len(source),
            target_tokens=sum(len(result.hypotheses[0]) for result in results),
            load_s=loaded - started,
            seconds=seconds,
            peak_rss_mb=peak,
        )
    )
)
