"""The functions of `_native.py` in C. What begins an array and a dtype in memory is part of NumPy's
stable ABI: its own macros, of which every extension module is made, read it there.
"""

cdef extern from *:
    """
    #include <string.h>

    typedef struct {
        PyObject_HEAD
        char *data;
        int nd;
        Py_ssize_t *dimensions, *strides;
        PyObject *base, *descr;
    } arraygrad_ndarray;
    typedef struct {
        PyObject_HEAD
        PyTypeObject *typeobj;
        char kind;
    } arraygrad_descr;

    /* (None in the slots: they must not be empty where compiled code sets them.) */
    static CYTHON_INLINE PyObject *arraygrad_new(PyObject *cls) {
        PyTypeObject *type = (PyTypeObject *)cls;
        PyObject *self = type->tp_alloc(type, 0);
        char *slot, *end;
        if (!self) return NULL;
        end = (char *)self + type->tp_basicsize;
        for (slot = (char *)(self + 1); slot < end; slot += sizeof(PyObject *))
            if (slot - (char *)self != type->tp_weaklistoffset) {
                Py_INCREF(Py_None);
                *(PyObject **)slot = Py_None;
            }
        return self;
    }

    static CYTHON_INLINE arraygrad_ndarray *arraygrad_numpys(PyObject *x) {
        return strcmp(Py_TYPE(x)->tp_name, "numpy.ndarray") ? NULL : (arraygrad_ndarray *)x;
    }

    static CYTHON_INLINE PyObject *arraygrad_shape(PyObject *x) {
        arraygrad_ndarray *a = arraygrad_numpys(x);
        PyObject *shape, *n;
        int i;
        if (!a) return PyObject_GetAttrString(x, "shape");
        shape = PyTuple_New(a->nd);
        for (i = 0; shape && i < a->nd; i++) {
            n = PyLong_FromSsize_t(a->dimensions[i]);
            if (n) PyTuple_SET_ITEM(shape, i, n);
            else Py_CLEAR(shape);
        }
        return shape;
    }

    static CYTHON_INLINE PyObject *arraygrad_dtype(PyObject *x) {
        arraygrad_ndarray *a = arraygrad_numpys(x);
        if (!a) return PyObject_GetAttrString(x, "dtype");
        Py_INCREF(a->descr);
        return a->descr;
    }

    static CYTHON_INLINE Py_UCS4 arraygrad_kind(PyObject *x) {
        arraygrad_ndarray *a = arraygrad_numpys(x);
        PyObject *dtype, *kind;
        Py_UCS4 found = (Py_UCS4)-1;
        if (a) return (Py_UCS4)((arraygrad_descr *)a->descr)->kind;
        dtype = PyObject_GetAttrString(x, "dtype");
        kind = dtype ? PyObject_GetAttrString(dtype, "kind") : NULL;
        if (kind && PyUnicode_GetLength(kind) > 0) found = PyUnicode_ReadChar(kind, 0);
        Py_XDECREF(kind);
        Py_XDECREF(dtype);
        return found;
    }

    static CYTHON_INLINE Py_ssize_t arraygrad_size(PyObject *x) {
        arraygrad_ndarray *a = arraygrad_numpys(x);
        PyObject *size;
        Py_ssize_t found = 1;
        int i;
        for (i = 0; a && i < a->nd; i++) found *= a->dimensions[i];
        if (a) return found;
        size = PyObject_GetAttrString(x, "size");
        found = size ? PyLong_AsSsize_t(size) : -1;
        Py_XDECREF(size);
        return found;
    }

    static CYTHON_INLINE int arraygrad_fits(PyObject *x, PyObject *shape, PyObject *dtype) {
        arraygrad_ndarray *a = arraygrad_numpys(x);
        PyObject *has;
        int i, same;
        if (a && PyTuple_CheckExact(shape)) {
            same = a->descr == dtype && a->nd == PyTuple_GET_SIZE(shape);
            for (i = 0; same && i < a->nd; i++)
                same = a->dimensions[i] == PyLong_AsSsize_t(PyTuple_GET_ITEM(shape, i));
            return same || !PyErr_Occurred() ? same : -1;
        }
        has = PyObject_GetAttrString(x, "shape");
        same = has ? PyObject_RichCompareBool(has, shape, Py_EQ) : -1;
        Py_XDECREF(has);
        if (same <= 0) return same;
        has = PyObject_GetAttrString(x, "dtype");
        same = has ? has == dtype : -1;
        Py_XDECREF(has);
        return same;
    }
    """
    object new "arraygrad_new" (object cls)
    object shape "arraygrad_shape" (object data)
    object dtype "arraygrad_dtype" (object data)
    Py_UCS4 kind "arraygrad_kind" (object data) except? 0xFFFFFFFF
    Py_ssize_t size "arraygrad_size" (object data) except? -1
    bint fits "arraygrad_fits" (object data, object shape, object dtype) except -1
