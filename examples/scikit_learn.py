"""bakeoff as one step among scikit-learn's: a table, a held-out part, probabilities.

    python examples/scikit_learn.py
"""

from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bakeoff import BakeoffClassifier

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

model = make_pipeline(StandardScaler(), BakeoffClassifier(slate="mlp", budget="1m"))
model.fit(X_train, y_train)

print("held-out accuracy:", model.score(X_test, y_test))
print("chances of the first wine:", model.predict_proba(X_test[:1]).round(3))
print(model[-1].result_.verdict["sentence"])
