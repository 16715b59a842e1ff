/* Whether texts are numbers of the bus: what contracts/decimals.py is, at a few instructions a digit.
 *
 * Only the limited API of Python 3.11 is used, so that one file serves every later version.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif

#define MOST_WHOLE_DIGITS 24 /* as in contracts/numbers.py */
#define MOST_FRACTION_DIGITS 36

typedef enum { FAULT = -1, NO_NUMBER, ZERO, POSITIVE, EMPTY } Reading;

/* Read digits at `*at`: how many, and whether one is above zero. */
static Py_ssize_t skip_digits(const char **at, const char *end, int *above)
{
    const char *start = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at)
        *above |= **at != '0';
    return *at - start;
}

static Reading read_text(const char *text, Py_ssize_t size)
{
    const char *at = text, *end = text + size;
    int above = 0;
    Py_ssize_t whole = skip_digits(&at, end, &above), behind;
    if (size == 0)
        return EMPTY;
    if (whole == 0 || whole > MOST_WHOLE_DIGITS || (*text == '0' && whole > 1))
        return NO_NUMBER;
    if (at < end) {
        if (*at++ != '.')
            return NO_NUMBER;
        behind = skip_digits(&at, end, &above);
        if (behind == 0 || behind > MOST_FRACTION_DIGITS || at < end)
            return NO_NUMBER;
    }
    return above ? POSITIVE : ZERO;
}

/* What a text is; one that UTF-8 cannot hold is no number. */
static Reading read_number(PyObject *text)
{
    Py_ssize_t size;
    const char *start;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "a number's text, not %R", (PyObject *)Py_TYPE(text));
        return FAULT;
    }
    start = PyUnicode_AsUTF8AndSize(text, &size);
    if (start != NULL)
        return read_text(start, size);
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return FAULT;
    PyErr_Clear();
    return NO_NUMBER;
}

static PyObject *answer(Reading worst, int good)
{
    return worst == FAULT ? NULL : PyBool_FromLong(good);
}

static PyObject *are_prices(PyObject *Py_UNUSED(module), PyObject *texts)
{
    Py_ssize_t at, size = PyTuple_Size(texts);
    if (size < 0)
        return NULL;
    for (at = 0; at < size; at++) {
        PyObject *text = PyTuple_GetItem(texts, at);
        Reading found = text == Py_None ? POSITIVE : read_number(text);
        if (found != POSITIVE)
            return answer(found, 0);
    }
    Py_RETURN_TRUE;
}

static PyObject *are_quoted(PyObject *Py_UNUSED(module), PyObject *const *texts, Py_ssize_t count)
{
    Py_ssize_t at;
    for (at = 0; at < count; at++) {
        Reading found = texts[at] == Py_None ? NO_NUMBER : read_number(texts[at]);
        if (found != POSITIVE && (found != ZERO || at % 2 == 0))
            return answer(found, 0);
    }
    return PyBool_FromLong(count % 2 == 0);
}

static PyObject *are_optional(PyObject *Py_UNUSED(module), PyObject *texts)
{
    int listed = PyList_Check(texts);
    Py_ssize_t at, size = listed ? PyList_Size(texts) : PyTuple_Size(texts);
    if (size < 0)
        return NULL;
    for (at = 0; at < size; at++) {
        Reading found = read_number(listed ? PyList_GetItem(texts, at) : PyTuple_GetItem(texts, at));
        if (found <= NO_NUMBER)
            return answer(found, 0);
    }
    Py_RETURN_TRUE;
}

#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL

static PyMethodDef FUNCTIONS[] = {
    {"are_prices", are_prices, METH_O, "Return whether all of a tuple are good prices, None left out."},
    {"are_quoted", FAST(are_quoted), "Return whether these are prices, above zero, each with its amount behind it."},
    {"are_optional", are_optional, METH_O, "Return whether all are unsigned numbers or empty."},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    return PyModule_AddStringConstant(module, "SOURCE", SOURCE_DIGEST);
}

static PyModuleDef_Slot MODULE_SLOTS[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "decimals",
    .m_doc = "Whether texts are numbers of the bus.",
    .m_size = 0,
    .m_methods = FUNCTIONS,
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit_decimals(void)
{
    return PyModuleDef_Init(&MODULE);
}
