"""scikit-learn: pipelines, searches and cross-validation on our tensors, unmodified."""

import pickle

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff

sklearn = pytest.importorskip("sklearn")

from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeCV
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    StandardScaler,
)

# StandardScaler divides 0 by 0 at first, and guards against the warning for NumPy's arrays alone.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in divide")

_rng = np.random.default_rng(0)
X = _rng.standard_normal((90, 4))
Y = X @ np.asarray([1.0, -2.0, 0.5, 3.0]) + 0.1 * _rng.standard_normal(90)
CLASSES = (Y > 0).astype(np.int64)

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]


@pytest.fixture(autouse=True)
def _dispatch():
    with sklearn.config_context(array_api_dispatch=True):
        yield


@pytest.fixture(params=DEVICES)
def put(request):
    return lambda a: xp.asarray(a, device=request.param)


def ridge(**parameters):
    return Ridge(solver="svd", **parameters)


#: pipelines that predict -> what
PREDICTORS = {
    "scaler, ridge": (lambda: make_pipeline(StandardScaler(), ridge()), Y),
    "scaler, PCA, ridge": (
        lambda: make_pipeline(StandardScaler(), PCA(2, svd_solver="full"), ridge()), Y
    ),
    "normalizer, polynomials, ridge": (
        lambda: make_pipeline(Normalizer(), PolynomialFeatures(2), ridge()), Y
    ),
    "RidgeCV": (RidgeCV, Y),
    "scaler, logistic regression": (
        lambda: make_pipeline(StandardScaler(), LogisticRegression()), CLASSES
    ),
    "min-max scaler, discriminant analysis": (
        lambda: make_pipeline(MinMaxScaler(), LinearDiscriminantAnalysis()), CLASSES
    ),
    "max-abs scaler, RidgeClassifier": (
        lambda: make_pipeline(MaxAbsScaler(), RidgeClassifier(solver="svd")), CLASSES
    ),
    "naive Bayes": (GaussianNB, CLASSES),
    "Nyström, ridge": (lambda: make_pipeline(Nystroem(n_components=9, random_state=0), ridge()), Y),
    "mixture": (
        lambda: GaussianMixture(2, init_params="random_from_data", random_state=0), CLASSES
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PREDICTORS)
def test_predictions_equal_numpys(name, put):
    make, target = PREDICTORS[name]
    x = put(X)
    estimator = make().fit(x, put(target))
    found, expected = estimator.predict(x), make().fit(X, target).predict(X)
    assert type(found) is xp.Tensor
    assert found.device == x.device
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-7)
    again = pickle.loads(pickle.dumps(estimator)).predict(x)
    np.testing.assert_array_equal(again.numpy(), found.numpy())


def test_grid_search(put):
    def search(x, y):
        pipeline = make_pipeline(StandardScaler(), PCA(svd_solver="full"), ridge())
        grid = {"pca__n_components": [2, 4], "ridge__alpha": [0.1, 1.0, 10.0]}
        return GridSearchCV(pipeline, grid, cv=3, scoring="r2").fit(x, y)

    found, expected = search(put(X), put(Y)), search(X, Y)
    assert found.best_params_ == expected.best_params_
    np.testing.assert_allclose(
        found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    assert type(found.best_estimator_[-1].coef_) is xp.Tensor
    np.testing.assert_allclose(found.predict(put(X)).numpy(), expected.predict(X))


def test_grid_search_in_processes():
    search = GridSearchCV(ridge(), {"alpha": [0.1, 1.0]}, cv=3, n_jobs=2)
    expected = GridSearchCV(ridge(), {"alpha": [0.1, 1.0]}, cv=3).fit(X, Y)
    found = search.fit(xp.asarray(X), xp.asarray(Y))
    np.testing.assert_allclose(found.best_score_, expected.best_score_)


def test_cross_validation(put):
    pipeline = make_pipeline(StandardScaler(), ridge())
    np.testing.assert_allclose(
        cross_val_score(pipeline, put(X), put(Y), cv=3), cross_val_score(pipeline, X, Y, cv=3)
    )
    found = cross_val_predict(pipeline, put(X), put(Y), cv=3)
    assert type(found) is xp.Tensor
    np.testing.assert_allclose(found.numpy(), cross_val_predict(pipeline, X, Y, cv=3))
    classifier = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_val_score(classifier, put(X), put(CLASSES), cv=3, scoring="accuracy")
    np.testing.assert_allclose(scores, cross_val_score(classifier, X, CLASSES, cv=3))


def test_train_test_split(put):
    parts = train_test_split(put(X), put(CLASSES), stratify=put(CLASSES), random_state=0)
    expected = train_test_split(X, CLASSES, stratify=CLASSES, random_state=0)
    for part, other in zip(parts, expected, strict=True):
        assert type(part) is xp.Tensor
        np.testing.assert_array_equal(part.numpy(), other)


#: what is differentiable in an estimator's result
DIFFERENTIABLE = {
    "scaler": lambda x: StandardScaler().fit(x).transform(x),
    "min-max scaler": lambda x: MinMaxScaler().fit_transform(x),
    "PCA": lambda x: PCA(2, svd_solver="full").fit(x).explained_variance_,
    "ridge": lambda x: ridge().fit(x, xp.asarray(Y)).predict(x),
    "naive Bayes": lambda x: GaussianNB().fit(x, xp.asarray(CLASSES)).predict_joint_log_proba(x),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_through_an_estimator(name):
    x = xp.asarray(X)
    autodiff.check_grads(DIFFERENTIABLE[name], (x,), atol=1e-4)
    out, pullback = autodiff.vjp(DIFFERENTIABLE[name], x)
    weights = xp.reshape(xp.arange(float(out.size)), out.shape)
    assert float(xp.max(xp.abs(pullback(weights)[0]))) > 0


@pytest.mark.parametrize(
    "f",
    [
        lambda x: LogisticRegression().fit(x, xp.asarray(CLASSES)).predict_proba(x),
        lambda x: Ridge(solver="cholesky").fit(x, xp.asarray(Y)).predict(x),
    ],
    ids=["L-BFGS of SciPy", "a solver without array API"],
)
def test_what_leaves_for_numpy_raises(f):
    with pytest.raises((TypeError, ValueError)):
        autodiff.grad(lambda x: xp.sum(f(x)))(xp.asarray(X))


def test_without_dispatch_a_gradient_is_not_lost_either():
    with (
        sklearn.config_context(array_api_dispatch=False),
        pytest.raises(TypeError, match="gradient would be lost"),
    ):
        StandardScaler().fit(autodiff.variable(xp.asarray(X)))
