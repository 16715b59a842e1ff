/* Whether texts are numbers of the bus: what contracts/arithmetic/decimals.py is, at a few instructions a digit.
 *
 * Only the limited API of Python 3.11 is used, so that one file serves every later version.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>

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

/* The text of a number, of str or of bytes; None where it is none, or zero where that is none. */
static PyObject *text_of(PyObject *object, int may_be_zero)
{
    PyObject *text = NULL;
    Py_buffer view;
    Reading found;
    if (PyUnicode_Check(object)) {
        found = read_number(object);
        if (found == FAULT)
            return NULL;
        if (found == POSITIVE || (found == ZERO && may_be_zero))
            Py_INCREF(text = object);
    } else {
        if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0)
            return NULL;
        found = read_text(view.buf, view.len);
        if (found == POSITIVE || (found == ZERO && may_be_zero))
            text = PyUnicode_FromStringAndSize(view.buf, view.len);
        PyBuffer_Release(&view);
    }
    if (text == NULL && !PyErr_Occurred())
        Py_INCREF(text = Py_None);
    return text;
}

static PyObject *read_amount(PyObject *Py_UNUSED(module), PyObject *object)
{
    return text_of(object, 1);
}

static PyObject *read_price(PyObject *Py_UNUSED(module), PyObject *object)
{
    return text_of(object, 0);
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

/* ---- sums */

#define MOST_SCALE 18   /* digits behind the point of what is summed here */
#define MOST_DIGITS 19  /* of a number that fits into 64 bits whatever they are */
#define MOST_WRITTEN 64

typedef unsigned __int128 Wide;

typedef struct {
    uint64_t digits; /* without the point */
    int scale;       /* digits behind it */
} Number;

/* Read a number that was checked before; 0 where it is too long to be summed here. */
static int read_short(PyObject *text, Number *number)
{
    Py_ssize_t size, at;
    const char *start = PyUnicode_AsUTF8AndSize(text, &size);
    number->digits = 0;
    number->scale = -1;
    if (start == NULL || size > MOST_DIGITS)
        return 0;
    for (at = 0; at < size; at++) {
        if (start[at] == '.') {
            if (number->scale >= 0)
                return 0;
            number->scale = 0;
            continue;
        }
        if (start[at] < '0' || start[at] > '9')
            return 0;
        number->digits = number->digits * 10 + (uint64_t)(start[at] - '0');
        number->scale += number->scale >= 0;
    }
    if (number->scale < 0)
        number->scale = 0;
    return size > 0 && number->scale <= MOST_SCALE;
}

/* Write digits with so many behind the point, as Python's decimals do. */
static PyObject *write_wide(Wide digits, int scale)
{
    char text[MOST_WRITTEN], *at = text + MOST_WRITTEN;
    int written = 0;
    while (digits > 0 || written <= scale) {
        if (written++ == scale && scale > 0)
            *--at = '.';
        *--at = (char)('0' + (int)(digits % 10));
        digits /= 10;
    }
    return PyUnicode_FromStringAndSize(at, text + MOST_WRITTEN - at);
}

/* Multiply by a power of ten; 0 where that is more than 64 bits hold. */
static int widen(uint64_t *digits, int by)
{
    for (; by > 0; by--)
        if (__builtin_mul_overflow(*digits, (uint64_t)10, digits))
            return 0;
    return 1;
}

typedef struct {
    Wide amount, value;
    uint64_t high, low;
    Py_ssize_t highest, lowest;
    int price_scale, amount_scale, value_scale;
} Sums;

static int read_pair(PyObject *prices, PyObject *amounts, Py_ssize_t at, Number pair[2])
{
    return read_short(PyList_GetItem(prices, at), &pair[0]) && read_short(PyList_GetItem(amounts, at), &pair[1]);
}

static int find_scales(PyObject *prices, PyObject *amounts, Sums *sums)
{
    Py_ssize_t at, count = PyList_Size(prices);
    Number pair[2];
    for (at = 0; at < count; at++) {
        if (!read_pair(prices, amounts, at, pair))
            return 0;
        if (pair[0].scale > sums->price_scale)
            sums->price_scale = pair[0].scale;
        if (pair[1].scale > sums->amount_scale)
            sums->amount_scale = pair[1].scale;
        if (pair[0].scale + pair[1].scale > sums->value_scale)
            sums->value_scale = pair[0].scale + pair[1].scale;
    }
    return 1;
}

/* Add all up at the finest scales; 0 where a number or a sum is too long. */
static int add_up(PyObject *prices, PyObject *amounts, Sums *sums)
{
    Py_ssize_t at, count = PyList_Size(prices);
    Number pair[2];
    int spare;
    for (at = 0; at < count; at++) {
        uint64_t price, amount;
        if (!read_pair(prices, amounts, at, pair))
            return 0;
        price = pair[0].digits;
        amount = pair[1].digits;
        if (!widen(&price, sums->price_scale - pair[0].scale) || !widen(&amount, sums->amount_scale - pair[1].scale) ||
            __builtin_add_overflow(sums->value, (Wide)price * amount, &sums->value))
            return 0;
        sums->amount += amount; /* fewer than 2^63 of 64 bits */
        if (at == 0 || price > sums->high) {
            sums->high = price;
            sums->highest = at;
        }
        if (at == 0 || price < sums->low) {
            sums->low = price;
            sums->lowest = at;
        }
    }
    for (spare = sums->price_scale + sums->amount_scale - sums->value_scale; spare > 0; spare--)
        sums->value /= 10; /* these digits are zeros */
    return 1;
}

static PyObject *sum_up(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *prices, *amounts, *amount, *value;
    Sums sums = {.amount = 0};
    if (!PyArg_ParseTuple(args, "O!O!:sum_up", &PyList_Type, &prices, &PyList_Type, &amounts))
        return NULL;
    if (PyList_Size(prices) != PyList_Size(amounts) || PyList_Size(prices) == 0)
        return PyErr_Format(PyExc_ValueError, "as many amounts as prices, and one at least");
    if (!find_scales(prices, amounts, &sums) || !add_up(prices, amounts, &sums)) {
        if (PyErr_Occurred())
            return NULL;
        Py_RETURN_NONE;
    }
    amount = write_wide(sums.amount, sums.amount_scale);
    value = write_wide(sums.value, sums.value_scale);
    if (amount == NULL || value == NULL) {
        Py_XDECREF(amount);
        Py_XDECREF(value);
        return NULL;
    }
    return Py_BuildValue("NNnn", amount, value, sums.highest, sums.lowest);
}

/* ---- the module */

#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL

static PyMethodDef FUNCTIONS[] = {
    {"read_amount", read_amount, METH_O, "Return the text of an unsigned number, None where it is none."},
    {"read_price", read_price, METH_O, "Return the text of a number above zero, None where it is none."},
    {"are_prices", are_prices, METH_O, "Return whether all of a tuple are good prices, None left out."},
    {"are_quoted", FAST(are_quoted), "Return whether these are prices, above zero, each with its amount behind it."},
    {"are_optional", are_optional, METH_O, "Return whether all are unsigned numbers or empty."},
    {"sum_up", sum_up, METH_VARARGS,
     "Return the sum of amounts, that of their values, and where the highest and lowest price is; None for long ones."},
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
