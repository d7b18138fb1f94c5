from collections.abc import Callable
from typing import Any

HEAD: int

def has_loop(ufunc: Any, numbers: tuple[int, ...]) -> bool: ...
def can_cast(number: int, to: int) -> bool: ...
def view_of(
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: Any,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[int, tuple[int, ...], tuple[int, ...]] | None: ...

_Operand = tuple[int, int, tuple[int, ...]]

class Loops:
    fallback: Callable[..., Any] | None
    fallback_on_block: Callable[..., Any] | None
    nan_error: type[Exception] | None
    onto: list[int] | None
    same: list[int] | None
    tail: Loops | None
    def __init__(
        self,
        inputs: list[tuple[tuple[int, ...], tuple[int, ...], Any]],
        outputs: list[tuple[tuple[int, ...], tuple[int, ...] | None, Any]],
        constants: list[Any],
        size: int,
        count: int = ...,
        advance: list[int] | None = ...,
    ) -> None: ...
    def begin_results(self) -> None: ...
    @property
    def size(self) -> int: ...
    def call(
        self,
        ufunc: Any,
        numbers: tuple[int, ...],
        shape: tuple[int, ...],
        operands: tuple[_Operand, ...],
    ) -> None: ...
    def reduce(
        self, ufunc: Any, number: int, shape: tuple[int, ...], x: _Operand, out: _Operand
    ) -> None: ...
    def core(
        self,
        ufunc: Any,
        numbers: tuple[int, ...],
        lengths: tuple[int, ...],
        strides: tuple[int, ...],
        operands: tuple[_Operand, ...],
        work: int,
    ) -> None: ...
    def copy(self, itemsize: int, shape: tuple[int, ...], x: _Operand, out: _Operand) -> None: ...
    def cast(
        self, number: int, to: int, shape: tuple[int, ...], x: _Operand, out: _Operand
    ) -> None: ...
    def select(
        self, itemsize: int, shape: tuple[int, ...], operands: tuple[_Operand, ...]
    ) -> None: ...
    def count(self, shape: tuple[int, ...], x: _Operand, out: _Operand) -> None: ...
    def check_nan(self, itemsize: int, shape: tuple[int, ...], x: _Operand) -> None: ...
    def check_mask(self, itemsize: int, shape: tuple[int, ...], x: _Operand) -> None: ...
    def clear_errors(self) -> None: ...
    def check_errors(self, kinds: list[str] | None) -> None: ...
    def __call__(self, *arrays: Any) -> Any: ...
