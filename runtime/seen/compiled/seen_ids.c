/* The ids that were seen last: what runtime/seen/seen_ids.py is, with eight bytes an id and no Python objects.
 *
 * Five parts: the one that is filled, and the four before it. Each is an open table of hashes that are searched from
 * their place on; a slot of 0 is free. One that follows a full one is as large as that at once: tables that grow for as
 * long as ids come leave holes between what others keep, as large together as they are. Only the limited API of
 * Python 3.11 is used, so that one file serves every later version.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif

#define PARTS 5
#define QUARTERS 4
#define FIRST_SLOTS 8 /* of a part; as many are added where three quarters are taken */

typedef struct {
    uint64_t *slots;
    size_t mask; /* one less than there are slots, which is a power of two */
    size_t count;
} Part;

typedef struct {
    PyObject_HEAD
    size_t quarter; /* as many a part holds */
    int now;        /* the part that is filled; the one after it is the oldest */
    Part parts[PARTS];
} SeenIds;

/* ---- one part */

/* Return the slot of a hash, or the free one where it belongs; only where there are slots. */
static size_t find_slot(const Part *part, uint64_t hash)
{
    size_t at = (size_t)hash & part->mask;
    while (part->slots[at] != 0 && part->slots[at] != hash)
        at = (at + 1) & part->mask;
    return at;
}

static int part_has(const Part *part, uint64_t hash)
{
    return part->count != 0 && part->slots[find_slot(part, hash)] == hash;
}

static size_t slots_of(const Part *part)
{
    return part->slots == NULL ? 0 : part->mask + 1;
}

/* Make so many slots, a power of two and more than there are. */
static int part_grow(Part *part, size_t slots)
{
    Part grown = {.slots = PyMem_Calloc(slots, sizeof *grown.slots), .mask = slots - 1, .count = part->count};
    if (grown.slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t at = 0; at < slots_of(part); at++)
        if (part->slots[at] != 0)
            grown.slots[find_slot(&grown, part->slots[at])] = part->slots[at];
    PyMem_Free(part->slots);
    *part = grown;
    return 0;
}

/* Put in a hash that is not there. */
static int part_add(Part *part, uint64_t hash)
{
    size_t slots = slots_of(part);
    if (4 * (part->count + 1) > 3 * slots)
        if (part_grow(part, slots == 0 ? FIRST_SLOTS : 2 * slots) < 0)
            return -1;
    part->slots[find_slot(part, hash)] = hash;
    part->count++;
    return 0;
}

/* Take a hash out, and move those behind it that would not be found any more. */
static void part_discard(Part *part, uint64_t hash)
{
    if (!part_has(part, hash))
        return;
    size_t hole = find_slot(part, hash);
    for (size_t at = (hole + 1) & part->mask; part->slots[at] != 0; at = (at + 1) & part->mask) {
        size_t home = (size_t)part->slots[at] & part->mask;
        if (((at - home) & part->mask) >= ((at - hole) & part->mask)) {
            part->slots[hole] = part->slots[at];
            hole = at;
        }
    }
    part->slots[hole] = 0;
    part->count--;
}

static void part_clear(Part *part)
{
    if (part->count != 0)
        memset(part->slots, 0, (part->mask + 1) * sizeof *part->slots);
    part->count = 0;
}

/* ---- all of them */

/* Give the hash of a key, never 0; 0 where it has none. */
static uint64_t hash_of(PyObject *key)
{
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1)
        return 0;
    return hash == 0 ? UINT64_MAX : (uint64_t)hash; /* -1, all bits of which are set, is no object's hash */
}

static int is_seen(const SeenIds *self, uint64_t hash)
{
    for (int at = 0; at < PARTS; at++)
        if (part_has(&self->parts[at], hash))
            return 1;
    return 0;
}

static PyObject *seen_add(PyObject *object, PyObject *key)
{
    SeenIds *self = (SeenIds *)object;
    uint64_t hash = hash_of(key);
    if (hash == 0)
        return NULL;
    if (is_seen(self, hash))
        return Py_NewRef(Py_False);
    if (self->parts[self->now].count >= self->quarter) {
        size_t slots = slots_of(&self->parts[self->now]);
        Part *next = &self->parts[(self->now + 1) % PARTS];
        if (slots > slots_of(next) && part_grow(next, slots) < 0)
            return NULL;
        part_clear(next);
        self->now = (self->now + 1) % PARTS;
    }
    if (part_add(&self->parts[self->now], hash) < 0)
        return NULL;
    return Py_NewRef(Py_True);
}

static PyObject *seen_discard(PyObject *object, PyObject *key)
{
    SeenIds *self = (SeenIds *)object;
    uint64_t hash = hash_of(key);
    if (hash == 0)
        return NULL;
    part_discard(&self->parts[self->now], hash);
    return Py_NewRef(Py_None);
}

static int seen_contains(PyObject *object, PyObject *key)
{
    uint64_t hash = hash_of(key);
    return hash == 0 ? -1 : is_seen((SeenIds *)object, hash);
}

static PyObject *seen_size(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    size_t bytes = sizeof(SeenIds);
    for (int at = 0; at < PARTS; at++) {
        const Part *part = &((SeenIds *)object)->parts[at];
        bytes += slots_of(part) * sizeof *part->slots;
    }
    return PyLong_FromSize_t(bytes);
}

static PyObject *seen_new(PyTypeObject *type, PyObject *arguments, PyObject *named)
{
    static char *names[] = {"limit", NULL};
    Py_ssize_t limit;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "n:SeenIds", names, &limit))
        return NULL;
    allocfunc make = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    SeenIds *self = (SeenIds *)make(type, 0);
    if (self != NULL)
        self->quarter = limit <= 0 ? 0 : (size_t)limit / QUARTERS + (limit % QUARTERS != 0);
    return (PyObject *)self;
}

static void seen_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    for (int at = 0; at < PARTS; at++)
        PyMem_Free(((SeenIds *)object)->parts[at].slots);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyMethodDef METHODS[] = {
    {"add", seen_add, METH_O, "Remember an id; False where it is remembered already."},
    {"discard", seen_discard, METH_O, "Forget an id that was just added."},
    {"size", seen_size, METH_NOARGS, "Return the bytes that it takes, its tables with it."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, "Remembers at least the last `limit` ids, at most a quarter more."},
    {Py_tp_new, seen_new},
    {Py_tp_dealloc, seen_dealloc},
    {Py_tp_methods, METHODS},
    {Py_sq_contains, seen_contains},
    {0, NULL},
};

static PyType_Spec SPEC = {
    .name = "runtime.seen.compiled.seen_ids.SeenIds",
    .basicsize = sizeof(SeenIds),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = SLOTS,
};

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &SPEC, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    if (added < 0)
        return -1;
    return PyModule_AddStringConstant(module, "SOURCE", SOURCE_DIGEST);
}

static PyModuleDef_Slot MODULE_SLOTS[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "seen_ids",
    .m_doc = "The ids that were seen last, compiled.",
    .m_size = 0,
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit_seen_ids(void)
{
    return PyModuleDef_Init(&MODULE);
}
