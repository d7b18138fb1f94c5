cimport arraygrad._dispatch as _dispatch
