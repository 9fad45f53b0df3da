"""`sklearn.lda` and `sklearn.qda`."""

from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)

LDA, QDA = LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
