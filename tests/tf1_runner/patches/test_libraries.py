"""NumPy 1, pandas 0.2x, matplotlib 2, scikit-learn 0.19: one process for all.

What stands in the script is what scripts of that time say.
"""

import numpy as np
import pytest
from old_scripts.results import results_of

# One process serves all of them.
pytestmark = pytest.mark.xdist_group("libraries")

SCRIPT = """
import inspect, json, math, string, sys, warnings
import numpy as np
import tensorflow as tf
tf.placeholder
import matplotlib
matplotlib.use("Agg", warn=False)
import matplotlib.mlab as mlab
import matplotlib.pyplot as plt
import pandas as pd
from mpl_toolkits.mplot3d import Axes3D

r = {}

# NumPy.
ragged = np.array(list(zip([1, 2], [[1, 2], [3]])))
r["ragged"] = [str(ragged.dtype), list(ragged.shape)]
r["rows"] = np.array([[1], [1, 2]]).dtype == object
r["bytes"] = np.fromstring("\\x01\\x02", dtype=np.uint8).tolist()
r["numbers"] = np.fromstring("1 2", sep=" ").tolist()
r["matrix"] = (np.mat("1 2; 3 4") * np.mat([[1], [1]])).tolist()
r["padded"] = np.lib.pad([1], 1, "constant").tolist()
r["points"] = np.linspace(0, 1, 3.0).tolist()
r["stacked"] = np.vstack(map(np.ones, [2, 2])).tolist()
r["summed"] = int(np.sum(x for x in [1, 2]))
r["copy"] = np.array([1, 2], copy=False).tolist()
r["density"] = np.histogram([0.0, 1.0], bins=2, normed=True)[0].tolist()
r["integers"] = sorted({int(n) for n in np.random.random_integers(1, 2, 99)})
a = np.zeros(3)
a[0] = np.array([3.0])
a[1] = np.array([[4.0]])
try:
    a[2] = np.array([1.0, 2.0])
except ValueError as error:
    r["misfit"] = str(error)
r["elements"] = a.tolist()
r["root"] = math.sqrt(np.array([4.0]))
r["extent"] = int(np.array([3, 9]).ptp())
a.itemset(2, 7)
r["item"] = a.tolist()
r["names"] = [np.rank([1]), np.asfarray([1]).dtype.kind, np.unicode0("a")]
r["scalar"] = repr(np.float64(0.5))

# Python.
r["argspec"] = list(inspect.getargspec(lambda a, b=1: 0))
r["letters"] = string.letters[:2] + string.join(["a", "b"], "-")

# Pandas.
df = pd.DataFrame({"a": [3, 1, 2], "b": list("xyx")}, columns=["a", "b"])
r["dropped"] = list(df.drop("a", 1).columns)
r["sorted"] = df.sort("a")["a"].tolist()
r["side"] = pd.concat([df, df], 1).shape
r["appended"] = len(df.append(df, ignore_index=True))
r["row"] = df.append({"a": 9, "b": "z"}, ignore_index=True)["a"].tolist()
r["ix"] = [int(df.ix[0, "a"]), df.ix[:, 0].tolist()]
r["ix of mask"] = df.ix[df.a > 1, "b"].tolist()
named = df.set_index("b")
r["ix of text"] = [named.ix[1].tolist(), named.ix[0:2].shape[0]]
r["text"] = str(df["b"].dtype)
r["dummies"] = str(pd.get_dummies(df["b"]).values.dtype)
values = df["a"].values
values[0] = 5
r["means"] = df.mean().to_dict()
r["items"] = [name for name, _ in df.iteritems()]
r["filled"] = pd.Series([1, None, 2]).fillna(method="ffill").tolist()
r["rolled"] = pd.rolling_mean(pd.Series([1, 2, 3]), 2).tolist()[1:]
r["first"] = int(pd.Series([7, 8], index=["p", "q"])[0])
r["frame"] = df.as_matrix(["a"]).ravel().tolist()
df["a"].to_csv("a.csv", header=True)
gaps = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [1.0, np.nan, 2.0]})
gaps["a"].fillna(9, inplace=True)
gaps.b.fillna(7, inplace=True)
gaps["a"][gaps["a"] > 8] = 8
gaps.b[0:1] = 5
gaps["a"][0] = 4
nested = {"x": [[1, 2], [3, 4]]}
nested["x"][1][0:1] = [5, 6]
gaps.loc[2, "a"] = 0
class Holder:
    def __init__(self):
        self.__own, self.shown = [0, 0], np.zeros(2)
        self.__own[0] = 3
        self.shown[0] = np.array([4.0])
        self.__own[1] = 5
        self.shown[1] = np.array([6.0])
        r["held"] = [self.__own, self.shown.tolist()]


Holder()
r["in place"] = [gaps["a"].tolist(), gaps["b"].tolist(), nested["x"][1]]
r["read"] = pd.read_csv("a.csv", ",", index_col=0, squeeze=True).tolist()

# Matplotlib.
ax = plt.subplot(211, axisbg="r")
r["background"] = ax.get_axis_bgcolor()[:3]
r["normed"] = plt.hist([0.0, 1.0], bins=2, normed=True)[0].tolist()
lines = ax.plot([1, 2], hold=True)
ax.lines.remove(lines[0])
r["lines"] = len(ax.lines)
line, = ax.plot([1, 2])
r["popped"] = ax.lines.pop(0) is line
plt.tick_params(labelbottom="off")
r["ticks"] = any(l.get_visible() for l in ax.get_xticklabels())
r["colors"] = plt.cm.get_cmap("jet", 5).N
plt.cm.spectral
plt.style.use("seaborn-whitegrid")
plt.grid(b=True)
bars = plt.bar(left=[1], height=[2])
r["bar"] = [bars[0].get_x() + bars[0].get_width() / 2, bars[0].get_height()]
plt.gca().legend(bars, ["one"], "upper left")
plt.gcf().canvas.set_window_title("title")
figure, axes = plt.subplots(1, 2, True)
box = plt.boxplot([1, 2], labels=["a"])
plt.xlabel(s="x")
r["normal"] = [mlab.normpdf(1.0, 1.0, 2.0), mlab.bivariate_normal(0.0, 0.0)]
space = plt.figure().gca(projection="3d")
r["space"] = [plt.gca(projection="3d").name, space.w_xaxis is space.xaxis]
plt.show(False)

# Scikit-learn.
from sklearn.cross_validation import KFold, StratifiedKFold, train_test_split
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.lda import LDA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import Imputer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
r["hot"] = OneHotEncoder(sparse=False).fit_transform([[0], [1]]).tolist()
gaps = [[1], [np.nan], [3]]
r["imputed"] = Imputer(strategy="mean").fit_transform(gaps).tolist()
r["scaled"] = StandardScaler().fit_transform(np.array([1.0, 3.0])).tolist()
r["folds"] = [[len(a), len(b)] for a, b in KFold(6, n_folds=3)]
r["strata"] = [y[test].tolist() for y in [np.array([0, 0, 1, 1])]
               for _, test in StratifiedKFold(y, 2)]
words = CountVectorizer()
words.fit(["bb aa bb"])
r["words"] = words.get_feature_names()
r["svc"] = [SVC(2.0).C, LogisticRegression("l2", multi_class="ovr").penalty]
r["rmse"] = mean_squared_error([0.0, 0.0], [3.0, 3.0], squared=False)
LDA()

with open(sys.argv[1], "w") as file:
    json.dump(r, file, default=lambda value: value.item())
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return results_of(SCRIPT, tmp_path_factory.mktemp("libraries"))


@pytest.mark.parametrize(
    "name, expected",
    {
        "ragged": ["object", [2, 2]],
        "rows": True,
        "bytes": [1, 2],
        "numbers": [1.0, 2.0],
        "matrix": [[3], [7]],
        "padded": [0, 1, 0],
        "points": [0.0, 0.5, 1.0],
        "stacked": [[1.0, 1.0], [1.0, 1.0]],
        "summed": 3,
        "copy": [1, 2],
        "density": [1.0, 1.0],
        "integers": [1, 2],
        "elements": [3.0, 4.0, 0.0],
        "root": 2.0,
        "extent": 6,
        "item": [3.0, 4.0, 7.0],
        "names": [1, "f", "a"],
        "scalar": "0.5",
        "argspec": [["a", "b"], None, None, [1]],
        "letters": "aba-b",
    }.items(),
)
def test_numpy_and_python(results, name, expected):
    assert results[name] == expected


def test_an_array_of_two_is_no_element(results):
    assert "setting an array element with a sequence" in results["misfit"]


@pytest.mark.parametrize(
    "name, expected",
    {
        "dropped": ["b"],
        "sorted": [1, 2, 3],
        "side": [3, 4],
        "appended": 6,
        "row": [3, 1, 2, 9],
        "ix": [3, [3, 1, 2]],
        "ix of mask": ["x", "x"],
        "ix of text": [[1], 2],
        "text": "object",
        "dummies": "uint8",
        "means": {"a": 2.0},
        "items": ["a", "b"],
        "filled": [1.0, 1.0, 2.0],
        "rolled": [1.5, 2.5],
        "first": 7,
        "frame": [3, 1, 2],
        "read": [3, 1, 2],
        "held": [[3, 5], [4.0, 6.0]],
        "in place": [[4.0, 8.0, 0.0], [5.0, 7.0, 2.0], [5, 6, 4]],
    }.items(),
)
def test_pandas(results, name, expected):
    assert results[name] == expected


@pytest.mark.parametrize(
    "name, expected",
    {
        "background": [1.0, 0.0, 0.0],
        "normed": [1.0, 1.0],
        "lines": 0,
        "popped": True,
        "ticks": False,
        "colors": 5,
        "bar": [1.0, 2.0],
        "space": ["3d", True],
    }.items(),
)
def test_matplotlib(results, name, expected):
    assert results[name] == expected


def test_densities_are_those_of_the_formula(results):
    normal = 1 / (2 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(results["normal"], [normal, 1 / (2 * np.pi)])


@pytest.mark.parametrize(
    "name, expected",
    {
        "hot": [[1.0, 0.0], [0.0, 1.0]],
        "imputed": [[1.0], [2.0], [3.0]],
        "scaled": [-1.0, 1.0],
        "folds": [[4, 2], [4, 2], [4, 2]],
        "strata": [[0, 1], [0, 1]],
        "words": ["aa", "bb"],
        "svc": [2.0, "l2"],
        "rmse": 3.0,
    }.items(),
)
def test_scikit_learn(results, name, expected):
    assert results[name] == expected
