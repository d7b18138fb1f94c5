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
        int flags;
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

    #if defined(__GLIBC__) && !defined(Py_GIL_DISABLED)
    #include <dlfcn.h>
    #include <link.h>
    #include <opcode.h>
    #include <unwind.h>
    #pragma weak _PyEval_EvalFrameDefault

    typedef struct {
        uintptr_t begin, end;
    } arraygrad_range;
    /* Where the interpreter's code lies in memory, and its loop in that. */
    static arraygrad_range arraygrad_python, arraygrad_loop;

    static int arraygrad_in(arraygrad_range range, uintptr_t address) {
        return range.begin <= address && address < range.end;
    }

    static int arraygrad_find(struct dl_phdr_info *info, size_t size, void *unused) {
        uintptr_t begin;
        int i;
        for (i = 0; i < info->dlpi_phnum; i++) {
            begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            arraygrad_python.begin = begin;
            arraygrad_python.end = begin + info->dlpi_phdr[i].p_memsz;
            if (info->dlpi_phdr[i].p_type == PT_LOAD &&
                arraygrad_in(arraygrad_python, arraygrad_loop.begin)) return 1;
        }
        return 0;
    }

    /* Goes from a function to its caller. `state` is 0 in our code, then 1 in the interpreter's,
       and 2 if its loop comes next. */
    static _Unwind_Reason_Code arraygrad_caller(struct _Unwind_Context *context, void *state) {
        uintptr_t address = _Unwind_GetIP(context) - 1;
        int *now = (int *)state;
        if (arraygrad_in(arraygrad_python, address)) {
            *now = arraygrad_in(arraygrad_loop, address) ? 2 : 1;
            return *now == 2 ? _URC_END_OF_STACK : _URC_NO_REASON;
        }
        return *now ? _URC_END_OF_STACK : _URC_NO_REASON;
    }

    /* Whether we are called by the interpreter's loop, for an operator. (Other code in C may hold
       an operand alone and need it again; functools.partial, which is the interpreter's, does.) */
    static int arraygrad_is_operator(void) {
        PyFrameObject *frame = PyEval_GetFrame();
        PyCodeObject *code;
        PyObject *text;
        Dl_info info;
        ElfW(Sym) *symbol = NULL;
        int at, is, state = 0;

        if (!frame) return 0;
        at = PyFrame_GetLasti(frame);
        code = PyFrame_GetCode(frame);
        text = PyCode_GetCode(code);
        Py_DECREF(code);
        if (!text) PyErr_Clear();
        is = text && 0 <= at && at < PyBytes_GET_SIZE(text)
             && (unsigned char)PyBytes_AS_STRING(text)[at] == BINARY_OP;
        Py_XDECREF(text);
        if (!is) return 0;
        if (!arraygrad_loop.end) {
            arraygrad_loop.begin = arraygrad_loop.end = (uintptr_t)_PyEval_EvalFrameDefault;
            if (dladdr1((void *)arraygrad_loop.begin, &info, (void **)&symbol, RTLD_DL_SYMENT)
                && symbol && dl_iterate_phdr(arraygrad_find, NULL))
                arraygrad_loop.end += symbol->st_size;
        }
        _Unwind_Backtrace(arraygrad_caller, &state);
        return state == 2;
    }
    #else
    #define arraygrad_is_operator() 0
    #endif

    /* (The flags are those of memory that is the array's own, and may be written, and is not copied
       elsewhere once the array goes.) */
    static CYTHON_INLINE int arraygrad_is_spare(PyObject *x) {
        PyObject *data = *(PyObject **)(x + 1);
        arraygrad_ndarray *a;
        if (Py_REFCNT(x) != 1 || Py_REFCNT(data) != 1) return 0;
        a = arraygrad_numpys(data);
        if (!a || (a->flags & 0x2404) != 0x404 || arraygrad_size(data) < 65536) return 0;
    #if PY_VERSION_HEX >= 0x030E0000
        if (!PyUnstable_Object_IsUniqueReferencedTemporary(x)) return 0;
    #endif
        return arraygrad_is_operator();
    }
    """
    bint is_spare "arraygrad_is_spare" (object x)
    object new "arraygrad_new" (object cls)
    object shape "arraygrad_shape" (object data)
    object dtype "arraygrad_dtype" (object data)
    Py_UCS4 kind "arraygrad_kind" (object data) except? 0xFFFFFFFF
    Py_ssize_t size "arraygrad_size" (object data) except? -1
    bint fits "arraygrad_fits" (object data, object shape, object dtype) except -1
