"""The libraries whose gradients are compared, behind one interface.

The functions to differentiate are written as ``function(lib, constants, *params)``, where `lib` is
one of the objects below: ``lib.xp`` is the namespace of the library, and `relu`, `log_softmax` and
`loop` are its own functions where the standard has none. The methods return a list of phases:
functions that are called in turn, each with the result of the previous one. The last returns a
list of arrays, by which the libraries are compared.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import arraygrad
from arraygrad import autodiff

Function = Callable[..., Any]
Phases = list[Callable[[Any], Any]]


class Library:
    """The interface; each library implements `gradient`, `step` and `hvp` if it can."""

    name: str
    xp: Any

    def array(self, x: np.ndarray) -> Any:
        """A copy of `x` as an array of the library."""
        return np.copy(x)

    def relu(self, x: Any) -> Any:
        return self.xp.maximum(x, 0.0)

    def log_softmax(self, x: Any) -> Any:
        xp = self.xp
        x = x - xp.max(x, axis=1, keepdims=True)
        return x - xp.log(xp.sum(xp.exp(x), axis=1, keepdims=True))

    def loop(self, step: Function, state: Any, inputs: Sequence[Any]) -> Any:
        for x in inputs:
            state = step(state, x)
        return state

    def _arguments(
        self, function: Function, constants: Sequence[np.ndarray], params: Sequence[np.ndarray]
    ) -> tuple[Function, list[Any]]:
        """The function of the parameters only, and the parameters of the library."""
        fixed = [self.array(x) for x in constants]

        def of_params(*params: Any) -> Any:
            return function(self, fixed, *params)

        return of_params, [self.array(x) for x in params]

    def gradient(self, function: Function, constants: Any, params: Any) -> Phases:
        """The function's value and gradient."""
        raise NotImplementedError

    def halves(self, function: Function, constants: Any, params: Any) -> Phases:
        """The same in two phases, forward and backward; empty if they cannot be separated."""
        return []

    def step(self, function: Function, constants: Any, params: Any, rate: float) -> Phases:
        """An in-place gradient step; returns the value before and the parameters after."""
        raise NotImplementedError

    def hvp(self, function: Function, constants: Any, params: Any, v: np.ndarray) -> Phases:
        """The product of the Hessian, with respect to the one parameter, with `v`."""
        raise NotImplementedError


# ---- backward: arraygrad and PyTorch, with the same code


class Tape(Library):
    """arraygrad: leaves that require grad, and ``backward``."""

    name = "ours, backward"
    xp = arraygrad
    no_grad = staticmethod(autodiff.no_grad)

    def array(self, x: np.ndarray) -> Any:
        return arraygrad.asarray(x, copy=True)

    def variable(self, x: Any) -> Any:
        return autodiff.variable(x)

    def _variables(
        self, function: Function, constants: Any, params: Any
    ) -> tuple[Function, list[Any]]:
        function, params = self._arguments(function, constants, params)
        return function, [self.variable(x) for x in params]

    def halves(self, function: Function, constants: Any, params: Any) -> Phases:
        function, variables = self._variables(function, constants, params)

        def forward(_: Any) -> Any:
            for x in variables:
                x.grad = None
            return function(*variables)

        def backward(loss: Any) -> list[Any]:
            loss.backward()
            return [loss.detach(), *(x.grad for x in variables)]

        return [forward, backward]

    def gradient(self, function: Function, constants: Any, params: Any) -> Phases:
        forward, backward = self.halves(function, constants, params)
        return [lambda _: backward(forward(None))]

    def step(self, function: Function, constants: Any, params: Any, rate: float) -> Phases:
        function, variables = self._variables(function, constants, params)

        def run(_: Any) -> list[Any]:
            loss = function(*variables)
            loss.backward()
            with self.no_grad():
                for x in variables:
                    x -= rate * x.grad
                    x.grad = None
            return [loss.detach(), *(x.detach() for x in variables)]

        return [run]

    def hvp(self, function: Function, constants: Any, params: Any, v: np.ndarray) -> Phases:
        function, (x,) = self._variables(function, constants, params)
        direction = self.array(v)

        def run(_: Any) -> list[Any]:
            x.grad = None
            function(x).backward(create_graph=True)
            g, x.grad = x.grad, None
            g.backward(direction)
            return [x.grad]

        return [run]


class Torch(Tape):
    """PyTorch, eager."""

    name = "PyTorch"

    def __init__(self, threads: int) -> None:
        self.xp = torch = importlib.import_module("torch")
        torch.set_num_threads(threads)
        self.no_grad = torch.no_grad

    def array(self, x: np.ndarray) -> Any:
        return self.xp.from_numpy(np.copy(x))

    def variable(self, x: Any) -> Any:
        return x.requires_grad_()

    def relu(self, x: Any) -> Any:
        return self.xp.relu(x)

    def log_softmax(self, x: Any) -> Any:
        return self.xp.log_softmax(x, 1)

    def hvp(self, function: Function, constants: Any, params: Any, v: np.ndarray) -> Phases:
        function, (x,) = self._variables(function, constants, params)
        direction, grad = self.array(v), self.xp.autograd.grad

        def run(_: Any) -> list[Any]:
            (g,) = grad(function(x), x, create_graph=True)
            return list(grad(g, x, direction))

        return [run]


# ---- transformations of functions


class Functions(Library):
    """arraygrad: `value_and_grad` and `hvp`."""

    name = "ours, grad"
    xp = arraygrad

    def array(self, x: np.ndarray) -> Any:
        return arraygrad.asarray(x, copy=True)

    def value_and_grad(self, function: Function, count: int) -> Function:
        return autodiff.value_and_grad(function, tuple(range(count)))

    def second(self, function: Function) -> Function:
        """``(x, v) -> hessian(x) @ v``."""
        return lambda x, v: autodiff.hvp(function, (x,), (v,))

    def gradient(self, function: Function, constants: Any, params: Any) -> Phases:
        function, params = self._arguments(function, constants, params)
        both = self.value_and_grad(function, len(params))

        def run(_: Any) -> list[Any]:
            value, gradients = both(*params)
            return [value, *gradients]

        return [run]

    def halves(self, function: Function, constants: Any, params: Any) -> Phases:
        function, params = self._arguments(function, constants, params)
        one = self.array(np.ones((), dtype=params[0].dtype))

        def backward(state: Any) -> list[Any]:
            value, pullback = state
            return [value, *pullback(one)]

        return [lambda _: autodiff.vjp(function, *params), backward]

    def step(self, function: Function, constants: Any, params: Any, rate: float) -> Phases:
        function, params = self._arguments(function, constants, params)
        both = self.value_and_grad(function, len(params))

        def run(_: Any) -> list[Any]:
            value, gradients = both(*params)
            for x, g in zip(params, gradients, strict=True):
                x -= rate * g
            return [value, *params]

        return [run]

    def hvp(self, function: Function, constants: Any, params: Any, v: np.ndarray) -> Phases:
        function, (x,) = self._arguments(function, constants, params)
        direction, product = self.array(v), self.second(function)
        return [lambda _: [product(x, direction)]]


class Hips(Functions):
    """HIPS autograd."""

    name = "HIPS autograd"

    def __init__(self) -> None:
        self.xp = importlib.import_module("autograd.numpy")
        self.autograd = importlib.import_module("autograd")

    def array(self, x: np.ndarray) -> Any:
        return np.copy(x)

    def value_and_grad(self, function: Function, count: int) -> Function:
        return self.autograd.value_and_grad(function, tuple(range(count)))

    def second(self, function: Function) -> Function:
        return self.autograd.hessian_vector_product(function)

    def halves(self, function: Function, constants: Any, params: Any) -> Phases:
        function, params = self._arguments(function, constants, params)
        make_vjp = self.autograd.make_vjp(function, tuple(range(len(params))))

        def backward(state: Any) -> list[Any]:
            pullback, value = state
            return [value, *pullback(np.ones_like(value))]

        return [lambda _: make_vjp(*params), backward]


class Jax(Functions):
    """JAX without a compiler, operation by operation."""

    name = "JAX"

    def __init__(self) -> None:
        self.jax = importlib.import_module("jax")
        self.jax.config.update("jax_enable_x64", True)
        self.xp = importlib.import_module("jax.numpy")

    def array(self, x: np.ndarray) -> Any:
        return self.xp.array(x)

    def relu(self, x: Any) -> Any:
        return self.jax.nn.relu(x)

    def log_softmax(self, x: Any) -> Any:
        return self.jax.nn.log_softmax(x, axis=1)

    def compiled(self, function: Function, **options: Any) -> Function:
        """Not supported."""
        return function

    def _finished(self, function: Function, **options: Any) -> Function:
        """`function`, waiting for its results."""
        function, wait = self.compiled(function, **options), self.jax.block_until_ready
        return lambda *args: wait(function(*args))

    def value_and_grad(self, function: Function, count: int) -> Function:
        return self._finished(self.jax.value_and_grad(function, tuple(range(count))))

    def second(self, function: Function) -> Function:
        jax = self.jax
        return self._finished(lambda x, v: jax.jvp(jax.grad(function), (x,), (v,))[1])

    def halves(self, function: Function, constants: Any, params: Any) -> Phases:
        function, params = self._arguments(function, constants, params)
        one, wait = self.array(np.ones((), dtype=params[0].dtype)), self.jax.block_until_ready

        def backward(state: Any) -> list[Any]:
            value, pullback = state
            return wait([value, *pullback(one)])

        return [lambda _: wait(self.jax.vjp(function, *params)), backward]

    def step(self, function: Function, constants: Any, params: Any, rate: float) -> Phases:
        function, params = self._arguments(function, constants, params)
        arguments = tuple(range(len(params)))
        both = self.jax.value_and_grad(function, arguments)

        def update(*params: Any) -> Any:
            value, gradients = both(*params)
            return value, [x - rate * g for x, g in zip(params, gradients, strict=True)]

        # Its arrays cannot be written to; if compiled, the new ones take the memory of the old.
        update = self._finished(update, donate_argnums=arguments)

        def run(_: Any) -> list[Any]:
            nonlocal params
            value, params = update(*params)
            return [value, *params]

        return [run]


class JaxCompiled(Jax):
    """JAX, compiled as a whole."""

    name = "JAX, jit"

    def compiled(self, function: Function, **options: Any) -> Function:
        return self.jax.jit(function, **options)

    def loop(self, step: Function, state: Any, inputs: Sequence[Any]) -> Any:
        # (the compiler would take minutes for the loop written out)
        stacked = self.xp.stack(inputs)
        return self.jax.lax.scan(lambda h, x: (step(h, x), None), state, stacked)[0]

    def halves(self, function: Function, constants: Any, params: Any) -> Phases:
        return []


class ByHand(Library):
    """NumPy: the step of the two-layer network, with gradients written by hand."""

    name = "NumPy by hand"

    def step(self, function: Function, constants: Any, params: Any, rate: float) -> Phases:
        (x, y), (w1, w2) = constants, map(self.array, params)

        def run(_: Any) -> list[Any]:
            h = x @ w1
            h_relu = np.maximum(h, 0)
            error = h_relu @ w2 - y
            loss = np.sum(error * error)
            g = 2 * error
            g2 = h_relu.T @ g
            g1 = x.T @ (g @ w2.T * (h > 0))
            w1[...] -= rate * g1
            w2[...] -= rate * g2
            return [loss, w1, w2]

        return [run]


#: By name: the module that is needed, and what makes the object, given the number of threads.
LIBRARIES: dict[str, tuple[str, Callable[[int], Library]]] = {
    ByHand.name: ("numpy", lambda _: ByHand()),
    Tape.name: ("arraygrad", lambda _: Tape()),
    Functions.name: ("arraygrad", lambda _: Functions()),
    Hips.name: ("autograd", lambda _: Hips()),
    Torch.name: ("torch", Torch),
    Jax.name: ("jax", lambda _: Jax()),
    JaxCompiled.name: ("jax", lambda _: JaxCompiled()),
}
