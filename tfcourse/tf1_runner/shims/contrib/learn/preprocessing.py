"""`tf.contrib.learn.preprocessing`: documents as rows of word numbers."""

import collections
import pathlib
import pickle
import re

import numpy as np

# Words, and the parts of a name such as `TensorFlow`.
_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+")
UNKNOWN = "<UNK>"


def tokenizer(iterator):
    for text in iterator:
        yield _WORD.findall(text)


class CategoricalVocabulary:
    """Numbers words in the order in which they come; 0 is the unknown one.

    Args:
        unknown_token: Its name.
        support_reverse: Unused: numbers can always be named.
    """

    def __init__(self, unknown_token=UNKNOWN, support_reverse=True):
        self._unknown = unknown_token
        self._counts = collections.Counter()
        self._frozen = False
        self._number([])

    def _number(self, words):
        self._names = [self._unknown, *words]
        self._mapping = {name: n for n, name in enumerate(self._names)}

    def __len__(self):
        return len(self._names)

    def freeze(self, freeze=True):
        self._frozen = freeze

    def get(self, category):
        """Returns a word's number; a new one if it is new, unless frozen."""
        if category not in self._mapping and not self._frozen:
            self._mapping[category] = len(self._names)
            self._names.append(category)
        return self._mapping.get(category, 0)

    def add(self, category, count=1):
        if self.get(category) > 0:
            self._counts[category] += count

    def trim(self, min_frequency, max_frequency=-1):
        """Keeps what was counted more often, the most frequent first."""
        order = sorted(sorted(self._counts), key=lambda w: -self._counts[w])
        kept = [word for word in order if self._counts[word] > min_frequency]
        if max_frequency > 0:
            kept = [word for word in kept if self._counts[word] < max_frequency]
        self._counts = collections.Counter({w: self._counts[w] for w in kept})
        self._number(kept)

    def reverse(self, class_id):
        return self._names[class_id]


class VocabularyProcessor:
    """Turns documents into rows of word numbers, cut or filled with 0.

    Args:
        max_document_length: The length of a row.
        min_frequency: Words that come no more often than that are unknown.
        vocabulary: A `CategoricalVocabulary` to begin with.
        tokenizer_fn: Makes lists of words of documents.
    """

    def __init__(
        self,
        max_document_length,
        min_frequency=0,
        vocabulary=None,
        tokenizer_fn=None,
    ):
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents, unused_y=None):
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents, unused_y=None):
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents):
        for words in self._tokenizer(raw_documents):
            words = words[: self.max_document_length]
            row = np.zeros(self.max_document_length, np.int64)
            row[: len(words)] = [self.vocabulary_.get(word) for word in words]
            yield row

    def reverse(self, documents):
        for row in documents:
            yield " ".join(self.vocabulary_.reverse(number) for number in row)

    def save(self, filename):
        pathlib.Path(filename).write_bytes(pickle.dumps(self))

    @classmethod
    def restore(cls, filename):
        return pickle.loads(pathlib.Path(filename).read_bytes())


class ByteProcessor:
    """Turns documents into rows of their bytes, cut or filled with 0.

    Args:
        max_document_length: The length of a row.
    """

    def __init__(self, max_document_length):
        self.max_document_length = max_document_length

    def fit(self, x):
        return self

    def fit_transform(self, x):
        return self.transform(x)

    def transform(self, x):
        for text in x:
            text = text if isinstance(text, bytes) else text.encode()
            text = text[: self.max_document_length]
            row = np.zeros(self.max_document_length, np.uint8)
            row[: len(text)] = np.frombuffer(text, np.uint8)
            yield row

    def reverse(self, x):
        for row in x:
            yield bytes(row).rstrip(b"\0").decode(errors="ignore")
