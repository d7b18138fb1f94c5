"""The functions of `_cpython.py` by CPython's C API, inlined where compiled modules call them."""

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF


cdef extern from "Python.h":
    object PyWeakref_NewRef(object x, PyObject *callback)
    int PyContextVar_Get(object variable, PyObject *default, PyObject **value) except -1


cdef inline object weak_reference(object x):
    return PyWeakref_NewRef(x, NULL)


cdef inline object current(object variable):
    cdef PyObject *value = NULL
    PyContextVar_Get(variable, NULL, &value)
    if value is NULL:
        raise LookupError(variable)
    result = <object>value
    Py_DECREF(result)  # (the reference that `value` had)
    return result
