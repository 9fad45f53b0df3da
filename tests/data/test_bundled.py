"""The bundled data sets: are they what the table says?"""

import numpy as np
import pytest

from tfcourse import data
from tfcourse.errors import InputError


@pytest.mark.parametrize("row", data.describe(), ids=lambda row: row["name"])
def test_table_is_true(row):
    dataset = data.load(row["name"])

    assert dataset.x.shape == (row["examples"], *row["shape"])
    assert len(dataset.labels) == row["classes"]
    assert dataset.x.dtype == np.float32
    assert len(dataset.feature_names) == dataset.x.shape[1]


def test_labels_are_those_of_the_source():
    dataset = data.load("iris")

    assert dataset.labels == ("setosa", "versicolor", "virginica")
    assert np.bincount(dataset.y).tolist() == [50, 50, 50]


def test_fingerprint_changes_with_one_value():
    one, other = data.load("wine"), data.load("wine")
    assert one.fingerprint() == other.fingerprint()

    other.x[3, 4] += 1

    assert one.fingerprint() != other.fingerprint()


def test_unknown_name_names_the_nearest():
    with pytest.raises(InputError, match=r"'digit'. Did you mean 'digits'\?"):
        data.load("digit")
