"""Schedules against PyTorch's."""

import math

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, optim

SCHEDULES = {
    "StepLR": ({"step_size": 3}, {"step_size": 3, "gamma": 0.5}),
    "MultiStepLR": ({"milestones": [2, 5, 5]}, {"milestones": [1], "gamma": 0.3}),
    "ExponentialLR": ({"gamma": 0.9},),
    "LinearLR": ({}, {"start_factor": 0.1, "end_factor": 0.5, "total_iters": 7}),
    "CosineAnnealingLR": ({"T_max": 10}, {"T_max": 6, "eta_min": 0.01}),
    "LambdaLR": ({"lr_lambda": lambda n: 1 / (1 + n)}, {"lr_lambda": [lambda n: n, lambda n: 2]}),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_agree_with_pytorchs(name):
    torch = pytest.importorskip("torch")
    for options in SCHEDULES[name]:
        ours = optim.SGD([{"params": arraygrad.ones(1)}, {"params": arraygrad.ones(1), "lr": 0.5}])
        theirs = torch.optim.SGD([{"params": torch.ones(1)}, {"params": torch.ones(1), "lr": 0.5}])
        a = getattr(optim, name)(ours, **options)
        b = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
        for _ in range(9):
            assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-12, abs=1e-15)
            assert [g["lr"] for g in ours.param_groups] == a.get_last_lr()
            ours.step([arraygrad.ones(1)] * 2)
            theirs.step()
            a.step()
            b.step()


CYCLES = (
    {"max_lr": 0.5, "total_steps": 20},
    {"max_lr": [0.5, 2.0], "epochs": 4, "steps_per_epoch": 5, "anneal_strategy": "linear"},
    {"max_lr": 0.5, "total_steps": 21, "three_phase": True, "pct_start": 0.25},
    {"max_lr": 0.5, "total_steps": 7, "pct_start": 0.45, "base_momentum": 0.5, "div_factor": 3},
    {"max_lr": 0.5, "total_steps": 9, "cycle_momentum": False, "final_div_factor": 2.0},
)


@pytest.mark.parametrize("options", CYCLES)
@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_cycles_agree_with_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    found = []
    for lib, one, schedules in (
        (optim, arraygrad.ones, optim),
        (torch.optim, torch.ones, torch.optim.lr_scheduler),
    ):
        groups = [{"params": [one(1)]}, {"params": [one(1)], "lr": 0.5}]
        optimizer = getattr(lib, name)(groups, lr=0.1)
        schedule = schedules.OneCycleLR(optimizer, **options)
        rows = []
        for i in range(schedule.total_steps):
            if i:
                optimizer.step(*([[arraygrad.ones(1)] * 2] if lib is optim else []))
                schedule.step()
            rows.append(schedule.get_last_lr())
            rows += [
                [group["lr"], *group.get("betas", [group.get("momentum")])]
                for group in optimizer.param_groups
            ]
        found.append(rows)
    assert found[0] == [pytest.approx(row, rel=1e-12, abs=1e-16) for row in found[1]]


def test_a_cycle_of_rates_and_momenta():
    optimizer = optim.Adam([arraygrad.ones(1)], lr=3.0)
    schedule = optim.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=5, pct_start=0.4, anneal_strategy="linear",
        div_factor=10, final_div_factor=10, base_momentum=0.5, max_momentum=0.9,
    )  # fmt: skip
    rows = []
    for _ in range(5):
        rows.append((schedule.get_last_lr()[0], optimizer.param_groups[0]["betas"]))
        if len(rows) < 5:
            schedule.step()
    rates = [0.1, 1.0, 1 - 0.33, 1 - 0.66, 0.01]
    momenta = [0.9, 0.5, 0.5 + 0.4 / 3, 0.5 + 0.8 / 3, 0.9]
    assert [r for r, _ in rows] == pytest.approx(rates)
    assert [b for _, b in rows] == [pytest.approx((m, 0.999)) for m in momenta]
    state = schedule.state_dict()
    with pytest.raises(ValueError, match=r"OneCycleLR\.step: the cycle has 5 steps"):
        schedule.step()
    assert schedule.state_dict() == state
    other = optim.Adam([arraygrad.ones(1)], lr=3.0)
    again = optim.OneCycleLR(
        other, max_lr=1.0, total_steps=5, pct_start=0.4, anneal_strategy="linear",
        div_factor=10, final_div_factor=10, base_momentum=0.5, max_momentum=0.9,
    )  # fmt: skip
    again.load_state_dict(state)
    assert again.get_last_lr() == schedule.get_last_lr()
    assert other.param_groups[0]["betas"] == optimizer.param_groups[0]["betas"]


def test_cycles_that_are_refused():
    sgd, rms = (f([arraygrad.ones(1)], lr=1.0) for f in (optim.SGD, optim.Adam))
    for options, error, message in (
        ({}, ValueError, "write total_steps, or epochs and steps_per_epoch"),
        ({"epochs": 3}, ValueError, "write total_steps, or epochs .*epochs=3"),
        ({"total_steps": 0}, ValueError, "total_steps must be an int of at least 1; got 0"),
        ({"total_steps": 5, "pct_start": 2}, ValueError, r"pct_start must be in \[0, 1\]; got 2"),
        ({"total_steps": 5, "anneal_strategy": "sin"}, ValueError, "anneal_strategy .*'sin'"),
        ({"total_steps": 5, "max_lr": [1.0, 2.0]}, ValueError, "expected 1 maxima, .* got 2"),
        ({"total_steps": 5, "max_lr": "1"}, TypeError, "max_lr must be a number; got '1'"),
    ):
        for optimizer in (sgd, rms):
            with pytest.raises(error, match=f"OneCycleLR: {message}"):
                optim.OneCycleLR(optimizer, **{"max_lr": 1.0, **options})
            assert optimizer.param_groups[0]["lr"] == 1.0
    with pytest.raises(TypeError, match="OneCycleLR: expected an optimiser; got 3"):
        optim.OneCycleLR(3, 1.0, 5)


def test_schedules_in_sequence_agree_with_pytorchs():
    torch = pytest.importorskip("torch")
    found = []
    for module, make, one in (
        (optim, optim.SGD, arraygrad.ones(1)),
        (torch.optim.lr_scheduler, torch.optim.SGD, torch.ones(1)),
    ):
        optimizer = make([one], lr=1.0)
        parts = [
            module.LinearLR(optimizer, start_factor=0.1, total_iters=4),
            module.CosineAnnealingLR(optimizer, T_max=6),
            module.ExponentialLR(optimizer, gamma=0.5),
        ]
        schedule = module.SequentialLR(optimizer, parts, milestones=[4, 8])
        rates = []
        for _ in range(12):
            rates += schedule.get_last_lr()
            optimizer.step(*([[arraygrad.ones(1)]] if module is optim else []))
            schedule.step()
        found.append(rates)
    assert found[0] == pytest.approx(found[1], rel=1e-12, abs=1e-15)


PLATEAU = {
    "factor": 0.5, "patience": 1, "cooldown": 2, "min_lr": 0.1, "threshold": 0.01,
}  # fmt: skip


METRICS = (3.0, 2.0, 2.0, 2.0, 1.995, 2.5, 1.0, 1.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("first", [[], [math.inf], [-math.inf], [math.nan]])
@pytest.mark.parametrize("eps", [1e-8, 0.2])
def test_plateaus_agree_with_pytorchs(mode, threshold_mode, first, eps):
    torch = pytest.importorskip("torch")
    options = {**PLATEAU, "mode": mode, "threshold_mode": threshold_mode, "eps": eps}
    a = optim.ReduceLROnPlateau(optim.SGD([arraygrad.ones(1)], lr=1.0), **options)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(
        torch.optim.SGD([torch.ones(1)], lr=1.0), **options
    )
    for x in (*first, *METRICS):
        a.step(x * autodiff.variable(arraygrad.asarray(1.0)))  # a loss before its backward
        b.step(x)
        assert a.get_last_lr() == pytest.approx(b.get_last_lr())
        assert (a.best, a.num_bad_epochs) == (b.best, b.num_bad_epochs)
    assert a.get_last_lr()[0] <= 0.5


def test_plateaus_that_count_small_and_infinite_changes():
    """Written out as PyTorch's are."""

    def rates(metrics, **options):
        schedule = optim.ReduceLROnPlateau(
            optim.SGD([arraygrad.ones(1)], lr=1.0), **{"factor": 0.5, "patience": 0, **options}
        )
        found = []
        for x in metrics:
            schedule.step(x)
            found += schedule.get_last_lr()
        return found

    # A first infinite or NaN loss is no improvement.
    assert rates([math.inf, 1.0, 0.5]) == [0.5, 0.5, 0.5]
    assert rates([math.nan, 1.0]) == [0.5, 0.5]
    assert rates([-math.inf, 1.0, 2.0], mode="max") == [0.5, 0.5, 0.5]
    assert rates([1.0, 0.5]) == [1.0, 1.0]
    # Thresholds of a tenth of the best value, or of a tenth.
    assert rates([10.0, 9.5], threshold=0.1) == [1.0, 0.5]
    assert rates([10.0, 9.5], threshold=0.1, threshold_mode="abs") == [1.0, 1.0]
    assert rates([10.0, 10.5], threshold=0.1, mode="max") == [1.0, 0.5]
    assert rates([10.0, 10.5], threshold=0.1, threshold_mode="abs", mode="max") == [1.0, 1.0]
    # Changes up to eps are ignored, for good.
    assert rates([1.0] * 5, eps=0.2) == [1.0, 0.5, 0.25, 0.25, 0.25]
    assert rates([1.0] * 4, eps=0.5) == [1.0, 1.0, 1.0, 1.0]
    assert rates([1.0] * 4, min_lr=0.4) == [1.0, 0.5, 0.4, 0.4]
    assert rates([1.0] * 3, min_lr=2.0) == [1.0, 1.0, 1.0]
    for metric in (np.float32(1), np.asarray(1.0), arraygrad.ones(1), arraygrad.asarray(1)):
        assert rates([metric, metric]) == [1.0, 0.5]
    for metric in (None, "1", 1j, arraygrad.asarray(1j)):
        with pytest.raises(TypeError, match=r"^ReduceLROnPlateau.step: metrics must be a number"):
            rates([metric])
    with pytest.raises(ValueError, match="threshold_mode must be 'rel' or 'abs'; got 'max'"):
        rates([], threshold_mode="max")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_schedules_of_numpys_numbers(kind):
    third, two = kind(0.3), np.int64(2)
    p = float(third)

    def rates(make):
        schedule = make(optim.SGD([arraygrad.ones(1)], lr=1.0))
        found = []
        for _ in range(5):
            schedule.step(*([1.0] if isinstance(schedule, optim.ReduceLROnPlateau) else []))
            found += schedule.get_last_lr()
        return found

    for one, other in (
        (lambda o: optim.StepLR(o, two, third), lambda o: optim.StepLR(o, 2, p)),
        (lambda o: optim.MultiStepLR(o, [two], third), lambda o: optim.MultiStepLR(o, [2], p)),
        (lambda o: optim.ExponentialLR(o, third), lambda o: optim.ExponentialLR(o, p)),
        (
            lambda o: optim.LinearLR(o, third, third, two),
            lambda o: optim.LinearLR(o, p, p, 2),
        ),
        (
            lambda o: optim.CosineAnnealingLR(o, two, third),
            lambda o: optim.CosineAnnealingLR(o, 2, p),
        ),
        (lambda o: optim.LambdaLR(o, lambda n: third), lambda o: optim.LambdaLR(o, lambda n: p)),
        (
            lambda o: optim.ReduceLROnPlateau(
                o, factor=third, patience=np.int64(0), threshold=third, min_lr=third, eps=third
            ),
            lambda o: optim.ReduceLROnPlateau(
                o, factor=p, patience=0, threshold=p, min_lr=p, eps=p
            ),
        ),
    ):
        found = rates(one)
        assert found == rates(other)
        assert {type(x) for x in found} == {float}


def test_schedules_go_on_from_their_state():
    for name, choices in SCHEDULES.items():
        options = choices[0]
        one, other = (
            getattr(optim, name)(optim.SGD([arraygrad.ones(1)], lr=lr), **options)
            for lr in (0.2, 9.0)
        )
        for _ in range(4):
            one.step()
        other.optimizer.load_state_dict(one.optimizer.state_dict())
        other.load_state_dict(one.state_dict())
        for _ in range(3):
            one.step()
            other.step()
            assert one.optimizer.param_groups[0]["lr"] == other.optimizer.param_groups[0]["lr"]


def test_what_schedules_refuse():
    optimizer = optim.SGD([arraygrad.ones(1)], lr=1.0)
    first = optim.StepLR(optimizer, 1)
    optim.ExponentialLR(optimizer, 0.5).step()
    with pytest.raises(RuntimeError, match="combine schedules use SequentialLR"):
        first.step()
    with pytest.raises(ValueError, match="load_state_dict"):
        first.load_state_dict({"last_epoch": 1})
    with pytest.raises(ValueError, match="groups of parameters; got 2"):
        first.load_state_dict({"last_epoch": 1, "base_lrs": [1, 2]})
    with pytest.raises(TypeError, match="lr_lambda must be a function or a list of functions"):
        optim.LambdaLR(optimizer, 3)
    with pytest.raises(TypeError, match="expected an optimiser"):
        optim.StepLR([], 1)
    for make in (
        lambda: optim.StepLR(optimizer, 0),
        lambda: optim.CosineAnnealingLR(optimizer, 1.5),
        lambda: optim.LinearLR(optimizer, start_factor=0.0),
        lambda: optim.ReduceLROnPlateau(optimizer, "least"),
        lambda: optim.ReduceLROnPlateau(optimizer, factor=1.0),
        lambda: optim.LambdaLR(optimizer, [abs, abs]),
        lambda: optim.SequentialLR(optimizer, [first, first], [5, 3]),
    ):
        with pytest.raises(ValueError):
            make()
    for given in (None, "1", [1], 1j, arraygrad.ones(2), True):
        for make in (
            lambda a: optim.StepLR(optimizer, 1, a),
            lambda a: optim.MultiStepLR(optimizer, [1], a),
            lambda a: optim.MultiStepLR(optimizer, 1.0 if a is None else [a]),
            lambda a: optim.ExponentialLR(optimizer, a),
            lambda a: optim.LinearLR(optimizer, a),
            lambda a: optim.LinearLR(optimizer, 0.5, a),
            lambda a: optim.CosineAnnealingLR(optimizer, 2, a),
            lambda a: optim.LambdaLR(optim.SGD([arraygrad.ones(1)]), lambda n: [a]),
            lambda a: optim.SequentialLR(optimizer, [first, first], [a]),
            lambda a: optim.SequentialLR(optimizer, a, [1]),
            *(
                lambda a, name=name: optim.ReduceLROnPlateau(optimizer, **{name: a})
                for name in ("factor", "patience", "threshold", "cooldown", "min_lr", "eps")
            ),
        ):
            with pytest.raises(TypeError, match=r"^\w+LR\w*: .* must b.*; got|to this optimiser"):
                make(given)
    with pytest.raises(TypeError, match="to this optimiser"):
        optim.SequentialLR(optim.SGD([arraygrad.ones(1)]), [first], [])
