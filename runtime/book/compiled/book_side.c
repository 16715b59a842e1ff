/* The compiled side of an order book: what runtime/book/book_side.py is, with no Python objects per level.
 *
 * Keys (the prices as doubles, asks negated, so that the best is last) lie sorted in one array, beside them the slots of
 * their texts in a pool of 32 byte entries; a longer text has a block of its own. Only the limited API of Python 3.11 is
 * used, so that one file serves every later version. What is no plain text of levels is read by the Python side, so
 * that what is accepted, and the error where it is not, are the same.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif

#define SHORT_TEXT 28
#define LONGEST_TEXT 65535
#define NO_SLOT UINT32_MAX
#define NO_LIMIT (-1)
#define MOST_WHOLE_DIGITS 24 /* as in contracts/numbers.py */
#define MOST_FRACTION_DIGITS 36

typedef struct {
    const char *start;
    Py_ssize_t size;
} Piece;

typedef struct {
    Piece price;
    Piece amount;
} Level;

/* The price's text and right behind it the amount's; in a block where both do not fit. */
typedef struct {
    uint16_t price_size;
    uint16_t amount_size;
    union {
        char inside[SHORT_TEXT];
        uint32_t next_free;
    } u;
} Texts;

typedef struct {
    Py_ssize_t size;      /* levels */
    Py_ssize_t capacity;  /* of keys and slots */
    double *keys;         /* ascending */
    uint32_t *slots;      /* of each key: its place in the pool */
    Py_ssize_t used;      /* of the pool: entries that were ever taken */
    Py_ssize_t pool_size; /* of the pool: entries that are there */
    Texts *pool;
    uint32_t first_free;
} Store;

typedef struct {
    PyObject_HEAD
    double sign;
    Store store;
} BookSide;

typedef struct {
    PyTypeObject *type;
    PyObject *crc32; /* zlib.crc32 */
    PyObject *read;  /* runtime.book.book_side.read_levels */
} State;

/* ---- the texts of a level */

static int is_long(const Texts *texts)
{
    return (size_t)texts->price_size + texts->amount_size > SHORT_TEXT;
}

static char *block_of(const Texts *texts)
{
    char *block;
    memcpy(&block, texts->u.inside, sizeof block);
    return block;
}

static const char *text_of(const Texts *texts)
{
    return is_long(texts) ? block_of(texts) : texts->u.inside;
}

static void free_texts(Texts *texts)
{
    if (is_long(texts))
        PyMem_Free(block_of(texts));
}

static int write_texts(Texts *texts, const Level *level)
{
    size_t price_size = (size_t)level->price.size, amount_size = (size_t)level->amount.size;
    char *target = texts->u.inside;
    if (price_size > LONGEST_TEXT || amount_size > LONGEST_TEXT) {
        PyErr_SetString(PyExc_ValueError, "a number of more than 65535 characters");
        return -1;
    }
    if (price_size + amount_size > SHORT_TEXT) {
        char *block = PyMem_Malloc(price_size + amount_size);
        if (block == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(texts->u.inside, &block, sizeof block);
        target = block;
    }
    texts->price_size = (uint16_t)price_size;
    texts->amount_size = (uint16_t)amount_size;
    memcpy(target, level->price.start, price_size);
    memcpy(target + price_size, level->amount.start, amount_size);
    return 0;
}

/* ---- the levels */

static void store_clear(Store *store)
{
    for (Py_ssize_t at = 0; at < store->size; at++)
        free_texts(&store->pool[store->slots[at]]);
    PyMem_Free(store->keys);
    PyMem_Free(store->slots);
    PyMem_Free(store->pool);
    *store = (Store){.first_free = NO_SLOT};
}

/* Make room for `wanted` levels; what is held stays. */
static int store_reserve(Store *store, Py_ssize_t wanted)
{
    if (wanted > store->capacity) {
        Py_ssize_t capacity = wanted + wanted / 8 + 8;
        void *keys, *slots;
        if ((size_t)capacity >= NO_SLOT) {
            PyErr_NoMemory();
            return -1;
        }
        keys = PyMem_Realloc(store->keys, (size_t)capacity * sizeof *store->keys);
        if (keys != NULL)
            store->keys = keys;
        slots = PyMem_Realloc(store->slots, (size_t)capacity * sizeof *store->slots);
        if (slots != NULL)
            store->slots = slots;
        if (keys == NULL || slots == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        store->capacity = capacity;
    }
    if (store->first_free == NO_SLOT && store->used == store->pool_size) {
        Py_ssize_t size = store->capacity;
        void *pool = PyMem_Realloc(store->pool, (size_t)size * sizeof *store->pool);
        if (pool == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        store->pool = pool;
        store->pool_size = size;
    }
    return 0;
}

/* Take an entry of the pool, which has one, and write the level's texts into it; NO_SLOT with an error set. */
static uint32_t take_slot(Store *store, const Level *level)
{
    int reused = store->first_free != NO_SLOT;
    uint32_t slot = reused ? store->first_free : (uint32_t)store->used;
    uint32_t next = reused ? store->pool[slot].u.next_free : NO_SLOT;
    if (write_texts(&store->pool[slot], level) < 0) {
        if (reused)
            store->pool[slot].u.next_free = next;
        return NO_SLOT;
    }
    if (reused)
        store->first_free = next;
    else
        store->used++;
    return slot;
}

static void give_slot(Store *store, uint32_t slot)
{
    free_texts(&store->pool[slot]);
    store->pool[slot].price_size = store->pool[slot].amount_size = 0;
    store->pool[slot].u.next_free = store->first_free;
    store->first_free = slot;
}

/* Return where the key is, or where it belongs. */
static Py_ssize_t find_place(const Store *store, double key)
{
    const double *keys = store->keys;
    Py_ssize_t low = 0, left = store->size;
    while (left > 0) {
        Py_ssize_t half = left / 2;
        if (keys[low + half] < key) {
            low += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    return low;
}

static void remove_at(Store *store, Py_ssize_t at)
{
    size_t after = (size_t)(store->size - at - 1);
    give_slot(store, store->slots[at]);
    memmove(store->keys + at, store->keys + at + 1, after * sizeof *store->keys);
    memmove(store->slots + at, store->slots + at + 1, after * sizeof *store->slots);
    store->size--;
}

static int insert_at(Store *store, Py_ssize_t at, double key, const Level *level)
{
    size_t after = (size_t)(store->size - at);
    uint32_t slot;
    if (store_reserve(store, store->size + 1) < 0)
        return -1;
    slot = take_slot(store, level);
    if (slot == NO_SLOT)
        return -1;
    memmove(store->keys + at + 1, store->keys + at, after * sizeof *store->keys);
    memmove(store->slots + at + 1, store->slots + at, after * sizeof *store->slots);
    store->keys[at] = key;
    store->slots[at] = slot;
    store->size++;
    return 0;
}

static int is_zero(const Level *level)
{
    return level->amount.size == 1 && level->amount.start[0] == '0';
}

/* Set the level to its absolute amount, as BookSide.apply does. */
static int set_level(Store *store, double key, const Level *level, double limit, Py_ssize_t depth)
{
    Py_ssize_t at = find_place(store, key);
    if (at < store->size && store->keys[at] == key) {
        Texts fresh, *held = &store->pool[store->slots[at]];
        if (is_zero(level)) {
            remove_at(store, at);
            return 0;
        }
        if (write_texts(&fresh, level) < 0)
            return -1;
        free_texts(held);
        *held = fresh;
        return 0;
    }
    if (is_zero(level) || !(key >= limit))
        return 0;
    if (insert_at(store, at, key, level) < 0)
        return -1;
    if (depth != NO_LIMIT && store->size > depth)
        remove_at(store, 0);
    return 0;
}

/* ---- replacing all of them */

typedef struct {
    double key;
    uint32_t slot;
} Entry;

static int compare_entries(const void *one, const void *other)
{
    const Entry *a = one, *b = other;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* Append without order, while a whole side is read; slots are taken in the order of arrival. */
static int append_level(Store *store, double key, const Level *level)
{
    if (is_zero(level) || key != key)
        return 0;
    return insert_at(store, store->size, key, level);
}

/* Bring appended levels into order; of one price the last counts, and beyond `depth` the worst are dropped. */
static int store_settle(Store *store, Py_ssize_t depth)
{
    Py_ssize_t size = store->size, kept = 0, dropped;
    Entry *entries;
    if (size == 0)
        return 0;
    entries = PyMem_Malloc((size_t)size * sizeof *entries);
    if (entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = 0; at < size; at++)
        entries[at] = (Entry){store->keys[at], store->slots[at]};
    qsort(entries, (size_t)size, sizeof *entries, compare_entries);
    for (Py_ssize_t at = 0; at < size; at++) {
        if (kept > 0 && entries[kept - 1].key == entries[at].key)
            give_slot(store, entries[--kept].slot);
        entries[kept++] = entries[at];
    }
    dropped = depth != NO_LIMIT && kept > depth ? kept - depth : 0;
    for (Py_ssize_t at = 0; at < dropped; at++)
        give_slot(store, entries[at].slot);
    for (Py_ssize_t at = dropped; at < kept; at++) {
        store->keys[at - dropped] = entries[at].key;
        store->slots[at - dropped] = entries[at].slot;
    }
    store->size = kept - dropped;
    PyMem_Free(entries);
    return 0;
}

/* ---- numbers */

static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define EXACT_MOST ((uint64_t)1 << 53)

/* float(text), by Python itself. */
static int read_number_slowly(const Piece *text, double *number)
{
    PyObject *word = PyUnicode_FromStringAndSize(text->start, text->size), *made;
    if (word == NULL)
        return -1;
    made = PyFloat_FromString(word);
    Py_DECREF(word);
    if (made == NULL)
        return -1;
    *number = PyFloat_AsDouble(made);
    Py_DECREF(made);
    return 0;
}

/* The double nearest to the decimal: one division of two exact doubles is that (whoever has longer ones, asks Python). */
static int read_number(const Piece *text, double *number)
{
    uint64_t digits = 0;
    Py_ssize_t point = -1, at;
    for (at = 0; at < text->size && digits <= EXACT_MOST; at++) {
        unsigned char byte = (unsigned char)text->start[at];
        if (byte >= '0' && byte <= '9')
            digits = digits * 10 + (uint64_t)(byte - '0');
        else if (byte == '.' && point < 0)
            point = at;
        else
            return read_number_slowly(text, number);
    }
    if (FLT_EVAL_METHOD != 0 || at < text->size || digits > EXACT_MOST || text->size == 0 || (point == 0 && text->size == 1))
        return read_number_slowly(text, number);
    at = point < 0 ? 0 : text->size - point - 1;
    if (at >= (Py_ssize_t)(sizeof POWERS / sizeof *POWERS))
        return read_number_slowly(text, number);
    *number = (double)digits / POWERS[at];
    return 0;
}

/* ---- the text of levels: [["price","amount"],…] */

static int skip_number(const char **at, const char *end)
{
    const char *start = *at;
    while (*at < end && ((**at >= '0' && **at <= '9') || **at == '.'))
        ++*at;
    return *at > start;
}

static int skip(const char **at, const char *end, const char *word, size_t size)
{
    if ((size_t)(end - *at) < size || memcmp(*at, word, size) != 0)
        return 0;
    *at += size;
    return 1;
}

/* Read the level at `*at`, which has none where this returns 0. */
static int read_level(const char **at, const char *end, Level *level)
{
    if (!skip(at, end, "[\"", 2))
        return 0;
    level->price.start = *at;
    if (!skip_number(at, end))
        return 0;
    level->price.size = *at - level->price.start;
    if (!skip(at, end, "\",\"", 3))
        return 0;
    level->amount.start = *at;
    if (!skip_number(at, end))
        return 0;
    level->amount.size = *at - level->amount.start;
    return skip(at, end, "\"]", 2);
}

/* Count the levels; -1 where this is not their plain text. */
static Py_ssize_t count_levels(const char *start, Py_ssize_t size)
{
    const char *at = start, *end = start + size;
    Py_ssize_t count = 0;
    Level level;
    if (!skip(&at, end, "[", 1))
        return -1;
    if (skip(&at, end, "]", 1))
        return at == end ? 0 : -1;
    do {
        if (!read_level(&at, end, &level))
            return -1;
        count++;
    } while (skip(&at, end, ",", 1));
    return skip(&at, end, "]", 1) && at == end ? count : -1;
}

/* Read a number as the contract has it; returns 0 where it is none, 1 where it is above zero, 2 for "0", 3 for "0.00". */
static int read_checked(const char **at, const char *end)
{
    const char *start = *at, *byte = start, *fraction;
    int above = 0;
    if (byte < end && *byte == '0') {
        byte++;
    } else {
        while (byte < end && *byte >= '0' && *byte <= '9')
            byte++;
        above = 1;
    }
    if (byte == start || byte - start > MOST_WHOLE_DIGITS)
        return 0;
    *at = byte;
    if (byte == end || *byte != '.')
        return above ? 1 : 2;
    for (fraction = ++byte; byte < end && *byte >= '0' && *byte <= '9'; byte++)
        above |= *byte != '0';
    *at = byte;
    if (byte == fraction || byte - fraction > MOST_FRACTION_DIGITS)
        return 0;
    return above ? 1 : 3;
}

/* Whether these are levels that are published as they came: prices above zero, amounts above zero or "0". */
static int are_plain(const char *start, Py_ssize_t size)
{
    const char *at = start, *end = start + size;
    int amount;
    if (!skip(&at, end, "[", 1))
        return 0;
    if (skip(&at, end, "]", 1))
        return at == end;
    do {
        if (!skip(&at, end, "[\"", 2) || read_checked(&at, end) != 1 || !skip(&at, end, "\",\"", 3))
            return 0;
        amount = read_checked(&at, end);
        if ((amount != 1 && amount != 2) || !skip(&at, end, "\"]", 2))
            return 0;
    } while (skip(&at, end, ",", 1));
    return skip(&at, end, "]", 1) && at == end;
}

static PyObject *are_levels(PyObject *Py_UNUSED(module), PyObject *levels)
{
    Py_buffer view;
    int plain;
    if (PyObject_GetBuffer(levels, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    plain = are_plain(view.buf, view.len);
    PyBuffer_Release(&view);
    return PyBool_FromLong(plain);
}

/* ---- levels, in whatever form, one after the other into a store */

typedef struct {
    Store *store;
    double sign;
    double limit;
    Py_ssize_t depth;
    int whole; /* they replace what is held: append, without order */
} Target;

static int give_level(const Target *target, const Level *level)
{
    double number, key;
    if (target->whole && is_zero(level))
        return 0; /* its price is not read */
    if (read_number(&level->price, &number) < 0)
        return -1;
    key = target->sign * number;
    return target->whole ? append_level(target->store, key, level)
                         : set_level(target->store, key, level, target->limit, target->depth);
}

static int give_text(const Target *target, const char *start, Py_ssize_t size, Py_ssize_t count)
{
    const char *at = start + 1, *end = start + size;
    Level level;
    if (target->whole && store_reserve(target->store, count) < 0)
        return -1;
    for (; count > 0; count--, at++)
        if (!read_level(&at, end, &level) || give_level(target, &level) < 0)
            return -1;
    return 0;
}

static int open_piece(PyObject *text, Piece *piece)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "a price and an amount are str");
        return -1;
    }
    piece->start = PyUnicode_AsUTF8AndSize(text, &piece->size);
    return piece->start == NULL ? -1 : 0;
}

static int give_pair(const Target *target, PyObject *pair)
{
    Level level;
    Py_ssize_t size;
    int failed;
    PyObject *fields = PySequence_Tuple(pair);
    if (fields == NULL)
        return -1;
    size = PyTuple_Size(fields);
    if (size < 2)
        PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected 2, got %zd)", size);
    if (size > 2)
        PyErr_SetString(PyExc_ValueError, "too many values to unpack (expected 2)");
    failed = size != 2 || open_piece(PyTuple_GetItem(fields, 0), &level.price) < 0 ||
             open_piece(PyTuple_GetItem(fields, 1), &level.amount) < 0 || give_level(target, &level) < 0;
    Py_DECREF(fields);
    return failed ? -1 : 0;
}

static int give_pairs(const Target *target, PyObject *levels)
{
    PyObject *pair, *pairs = PyObject_GetIter(levels);
    if (pairs == NULL)
        return -1;
    while ((pair = PyIter_Next(pairs)) != NULL) {
        int given = give_pair(target, pair);
        Py_DECREF(pair);
        if (given < 0)
            break;
    }
    Py_DECREF(pairs);
    return PyErr_Occurred() ? -1 : 0;
}

/* Let the Python side read a text that is not plain. */
static int give_odd_text(const Target *target, State *state, PyObject *levels)
{
    int given;
    PyObject *pairs = PyObject_CallFunctionObjArgs(state->read, levels, NULL);
    if (pairs == NULL)
        return -1;
    given = give_pairs(target, pairs);
    Py_DECREF(pairs);
    return given;
}

static int give_levels(const Target *target, State *state, PyObject *levels)
{
    const char *start = NULL;
    Py_ssize_t size = 0, count;
    Py_buffer view = {.obj = NULL};
    int given;
    if (PyUnicode_Check(levels)) {
        start = PyUnicode_AsUTF8AndSize(levels, &size);
    } else if (PyObject_CheckBuffer(levels)) {
        if (PyObject_GetBuffer(levels, &view, PyBUF_SIMPLE) < 0)
            return -1;
        start = view.buf;
        size = view.len;
    } else {
        return give_pairs(target, levels);
    }
    if (start == NULL && PyErr_Occurred())
        return -1;
    count = size > 0 ? count_levels(start, size) : -1;
    given = count < 0 ? give_odd_text(target, state, levels) : give_text(target, start, size, count);
    if (view.obj != NULL)
        PyBuffer_Release(&view);
    return given;
}

/* ---- the type */

static State *state_of(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

/* Read a depth, which may be None. */
static int read_depth(PyObject *value, Py_ssize_t *depth)
{
    *depth = NO_LIMIT;
    if (value == NULL || value == Py_None)
        return 0;
    *depth = PyLong_AsSsize_t(value);
    if (*depth >= 0)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "a depth is not negative");
    return -1;
}

static PyObject *side_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"sign", NULL};
    double sign;
    BookSide *self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "d:BookSide", names, &sign))
        return NULL;
    self = (BookSide *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    self->sign = sign;
    self->store = (Store){.first_free = NO_SLOT};
    return (PyObject *)self;
}

static void side_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    store_clear(&((BookSide *)object)->store);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static Py_ssize_t side_length(PyObject *self)
{
    return ((BookSide *)self)->store.size;
}

static PyObject *side_replace(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"levels", "depth", NULL};
    BookSide *self = (BookSide *)object;
    PyObject *levels, *limit = NULL;
    Store fresh = {.first_free = NO_SLOT}, old;
    Target target = {.store = &fresh, .sign = self->sign, .whole = 1};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:replace", names, &levels, &limit) ||
        read_depth(limit, &target.depth) < 0)
        return NULL;
    if (give_levels(&target, state_of(object), levels) < 0 || store_settle(&fresh, target.depth) < 0) {
        store_clear(&fresh);
        return NULL;
    }
    old = self->store;
    self->store = fresh;
    store_clear(&old);
    Py_RETURN_NONE;
}

static PyObject *side_apply(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"levels", "edge", "depth", NULL};
    BookSide *self = (BookSide *)object;
    PyObject *levels, *edge = Py_None, *most = NULL;
    Target target = {.store = &self->store, .sign = self->sign, .limit = -HUGE_VAL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO:apply", names, &levels, &edge, &most) ||
        read_depth(most, &target.depth) < 0)
        return NULL;
    if (edge != Py_None) {
        target.limit = self->sign * PyFloat_AsDouble(edge);
        if (PyErr_Occurred())
            return NULL;
    }
    if (give_levels(&target, state_of(object), levels) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *price_at(const Store *store, Py_ssize_t at)
{
    if (store->size == 0)
        Py_RETURN_NONE;
    return PyFloat_FromDouble(fabs(store->keys[at]));
}

static PyObject *side_best(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    const Store *store = &((BookSide *)self)->store;
    return price_at(store, store->size - 1);
}

static PyObject *side_worst(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return price_at(&((BookSide *)self)->store, 0);
}

/* The texts of the level that is `rank` places behind the best. */
static const Texts *texts_at(const Store *store, Py_ssize_t rank)
{
    return &store->pool[store->slots[store->size - 1 - rank]];
}

static Py_ssize_t shown(const Store *store, Py_ssize_t depth)
{
    return depth == NO_LIMIT || depth > store->size ? store->size : depth;
}

static PyObject *make_pair(const char *start, Py_ssize_t price_size, Py_ssize_t amount_size)
{
    PyObject *price = PyUnicode_FromStringAndSize(start, price_size);
    PyObject *amount = PyUnicode_FromStringAndSize(start + price_size, amount_size);
    PyObject *pair = price != NULL && amount != NULL ? PyTuple_Pack(2, price, amount) : NULL;
    Py_XDECREF(price);
    Py_XDECREF(amount);
    return pair;
}

static PyObject *side_top(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"depth", NULL};
    const Store *store = &((BookSide *)object)->store;
    PyObject *limit = NULL, *levels;
    Py_ssize_t depth;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:top", names, &limit) || read_depth(limit, &depth) < 0)
        return NULL;
    levels = PyList_New(0);
    for (Py_ssize_t rank = 0; levels != NULL && rank < shown(store, depth); rank++) {
        const Texts *texts = texts_at(store, rank);
        const char *start = text_of(texts);
        PyObject *pair = make_pair(start, texts->price_size, texts->amount_size);
        if (pair == NULL || PyList_Append(levels, pair) < 0)
            Py_CLEAR(levels);
        Py_XDECREF(pair);
    }
    return levels;
}

/* ---- snapshots */

static char *put(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

/* Put price, `between`, amount and `behind`. Texts within an entry are put as a whole entry, of which only their size
 * counts: that costs a fraction of copying so many bytes. `at` has room for SHORT_TEXT more. */
static inline char *put_level(char *at, const Texts *texts, const char *between, const char *behind)
{
    const char *price = text_of(texts);
    if (is_long(texts)) {
        at = put(at, price, texts->price_size);
        at = put(at, between, strlen(between));
        at = put(at, price + texts->price_size, texts->amount_size);
    } else {
        char held[2 * SHORT_TEXT] = {0};
        memcpy(held, price, SHORT_TEXT);
        memcpy(at, held, SHORT_TEXT);
        at = put(at + texts->price_size, between, strlen(between));
        memcpy(at, held + texts->price_size, SHORT_TEXT);
        at += texts->amount_size;
    }
    return put(at, behind, strlen(behind));
}

/* The JSON text of the best levels as str; the same as price:amount| goes to `*sum`, which moves on. */
static PyObject *write_side(const Store *store, Py_ssize_t depth, char **sum)
{
    Py_ssize_t count = shown(store, depth);
    size_t size = 2;
    char *json, *at;
    PyObject *text;
    for (Py_ssize_t rank = 0; rank < count; rank++) {
        const Texts *texts = texts_at(store, rank);
        size += (size_t)texts->price_size + texts->amount_size + 8; /* ["","" ], and what joins it to the next */
    }
    json = at = PyMem_Malloc(size + SHORT_TEXT);
    if (json == NULL)
        return PyErr_NoMemory();
    *at++ = '[';
    for (Py_ssize_t rank = 0; rank < count; rank++) {
        const Texts *texts = texts_at(store, rank);
        at = put_level(put(at, "[\"", 2), texts, "\",\"", "\"],");
        *sum = put_level(*sum, texts, ":", "|");
    }
    at -= count > 0; /* the comma behind the last one */
    *at++ = ']';
    text = PyUnicode_FromStringAndSize(json, at - json);
    PyMem_Free(json);
    return text;
}

static size_t summed_size(const Store *store, Py_ssize_t depth)
{
    size_t size = 0;
    for (Py_ssize_t rank = 0; rank < shown(store, depth); rank++) {
        const Texts *texts = texts_at(store, rank);
        size += (size_t)texts->price_size + texts->amount_size + 2;
    }
    return size;
}

static PyObject *find_sum(State *state, const char *start, size_t size)
{
    PyObject *sum, *summed = PyBytes_FromStringAndSize(start, (Py_ssize_t)size);
    if (summed == NULL)
        return NULL;
    sum = PyObject_CallFunctionObjArgs(state->crc32, summed, NULL);
    Py_DECREF(summed);
    return sum;
}

static PyObject *make_snapshot(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"bids", "asks", "depth", NULL};
    State *state = PyModule_GetState(module);
    BookSide *bids, *asks;
    PyObject *limit, *bid_text = NULL, *ask_text = NULL, *sum = NULL, *snapshot = NULL;
    Py_ssize_t depth;
    char *summed, *end;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!O:snapshot", names, state->type, &bids, state->type, &asks,
                                     &limit) ||
        read_depth(limit, &depth) < 0)
        return NULL;
    summed = end = PyMem_Malloc(summed_size(&bids->store, depth) + summed_size(&asks->store, depth) + SHORT_TEXT);
    if (summed == NULL)
        return PyErr_NoMemory();
    bid_text = write_side(&bids->store, depth, &end);
    if (bid_text != NULL)
        ask_text = write_side(&asks->store, depth, &end);
    if (ask_text != NULL)
        sum = find_sum(state, summed, (size_t)(end - summed) - (end > summed));
    if (sum != NULL)
        snapshot = PyTuple_Pack(3, bid_text, ask_text, sum);
    PyMem_Free(summed);
    Py_XDECREF(bid_text);
    Py_XDECREF(ask_text);
    Py_XDECREF(sum);
    return snapshot;
}

/* ---- the module */

#define KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS

static PyMethodDef SIDE_METHODS[] = {
    {"replace", KEYWORDS(side_replace), "Forget everything and hold these levels, the best `depth` of them."},
    {"apply", KEYWORDS(side_apply), "Set each level to its absolute amount; \"0\" removes it."},
    {"best", side_best, METH_NOARGS, "Return the best price, None where the side is empty."},
    {"worst", side_worst, METH_NOARGS, "Return the worst price held."},
    {"top", KEYWORDS(side_top), "Return the best levels first, with the venue's own texts."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SIDE_SLOTS[] = {
    {Py_tp_doc, "One side of a book, without Python objects per level."},
    {Py_tp_new, side_new},
    {Py_tp_dealloc, side_dealloc},
    {Py_tp_methods, SIDE_METHODS},
    {Py_sq_length, side_length},
    {0, NULL},
};

static PyType_Spec SIDE_SPEC = {
    .name = "runtime.book.compiled.book_side.BookSide",
    .basicsize = sizeof(BookSide),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = SIDE_SLOTS,
};

static PyMethodDef FUNCTIONS[] = {
    {"snapshot", KEYWORDS(make_snapshot), "Return the best `depth` levels of both sides as JSON texts, and their CRC-32."},
    {"are_levels", are_levels, METH_O, "Return whether the JSON text of levels can be published as it is."},
    {NULL, NULL, 0, NULL},
};

static PyObject *import_name(const char *module_name, const char *name)
{
    PyObject *found, *module = PyImport_ImportModule(module_name);
    if (module == NULL)
        return NULL;
    found = PyObject_GetAttrString(module, name);
    Py_DECREF(module);
    return found;
}

static int module_exec(PyObject *module)
{
    State *state = PyModule_GetState(module);
    state->crc32 = import_name("zlib", "crc32");
    state->read = import_name("runtime.book.book_side", "read_levels");
    state->type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &SIDE_SPEC, NULL);
    if (state->crc32 == NULL || state->read == NULL || state->type == NULL)
        return -1;
    if (PyModule_AddStringConstant(module, "SOURCE", SOURCE_DIGEST) < 0)
        return -1;
    return PyModule_AddType(module, state->type);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    State *state = PyModule_GetState(module);
    if (state != NULL) {
        Py_VISIT(state->type);
        Py_VISIT(state->crc32);
        Py_VISIT(state->read);
    }
    return 0;
}

static int module_clear(PyObject *module)
{
    State *state = PyModule_GetState(module);
    if (state != NULL) {
        Py_CLEAR(state->type);
        Py_CLEAR(state->crc32);
        Py_CLEAR(state->read);
    }
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

static PyModuleDef_Slot MODULE_SLOTS[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "book_side",
    .m_doc = "The compiled side of an order book.",
    .m_size = sizeof(State),
    .m_methods = FUNCTIONS,
    .m_slots = MODULE_SLOTS,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit_book_side(void)
{
    return PyModuleDef_Init(&MODULE);
}
