"""The other side of `bench/rank.py`: all cosines of texts with scikit-learn. Reads them as JSON, prints the CPU time."""

import json
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-not-found]

BLOCK = 1_000
NEAR = 0.3


def main() -> None:
    texts = json.load(sys.stdin)
    started = time.process_time()
    vectors = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    transposed = vectors.T.tocsc()
    for start in range(0, vectors.shape[0], BLOCK):
        (vectors[start : start + BLOCK] @ transposed > NEAR).nonzero()
    print(time.process_time() - started)


if __name__ == "__main__":
    main()
