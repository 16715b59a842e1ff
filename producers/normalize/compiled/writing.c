/* Writes an event as the bus gets it, from its constants and its values, in one step.
 *
 * A `Writer` has what is the same in all events of an instrument and kind: the command's first words, the headers up to
 * the id, and the pieces of JSON between the values. What is not plainly written (a text with a quotation mark, an
 * integer beyond int64, an id that is no header, a time that cannot be, a name that is not known) goes to the Python
 * writer, so that there is one rule for it.
 *
 * `reading.h` has what reads plain frames into such messages without a struct and a writer's call between.
 *
 * Only the limited API of Python 3.11 is used, so that one file serves every later version.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <stdio.h>

#include "scanning.h"

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif

#define MOST_VALUES 24
#define MOST_DETAILS 8
#define LONGEST_ID 256 /* as in producers/normalize/writer.py */
#define DELETE 0x7F
#define MOST_DIGITS 20 /* of an int64, with its sign */

typedef struct {
    PyObject_HEAD
    PyObject *python;    /* the writer that does the same, and all that is unusual */
    PyObject *message;   /* the type of what is returned: (route, parts, detail) */
    PyObject *route;
    PyObject *command;   /* "PUB <subject> " or "HPUB <subject> " */
    PyObject *head;      /* the headers up to the id; empty where there are none */
    PyObject *pieces;    /* of JSON, one more than there are slots */
    PyObject *end;       /* the last part of every message */
    PyObject *names;     /* of the values, which are given by name */
    PyObject *defaults;  /* of the values, in the same order; Ellipsis where one must be given */
    PyObject *slots;     /* which value stands behind each piece but the last: the id first */
    PyObject *prefix;    /* of an id whose other part is the first value, a number; None where the id is given */
    PyObject *detail;    /* the type of a message's detail, None for a tuple */
    PyObject *details;   /* which values it has; None where a message has none */
    long long ahead;     /* so many ns may the second value, ts_event, be after the third one, ts_recv */
    int named;           /* which value must be a name, too; -1 for none */
    Piece parts[MOST_VALUES + 1];
    int slot[MOST_VALUES];
    int shown[MOST_DETAILS];
    Piece id_prefix;
    Py_ssize_t count;    /* of values */
    Py_ssize_t slotted;  /* slots */
    Py_ssize_t showing;  /* values in the detail */
    Py_ssize_t fixed;    /* the size of all pieces */
} Writer;

typedef struct {
    Piece text;
    PyObject *levels; /* a list, whose texts are written from it */
    Form form;        /* NESTED: levels, or JSON as it is */
    int quoted;
    long long number;
    Py_buffer view;
    char digits[MOST_DIGITS];
} Value;

/* ---- values */

static Reading read_text(PyObject *object, Piece *text)
{
    const unsigned char *at, *end;
    text->start = PyUnicode_AsUTF8AndSize(object, &text->size);
    if (text->start == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            return FAULT;
        PyErr_Clear();
        return UNUSUAL;
    }
    for (at = (const unsigned char *)text->start, end = at + text->size; at < end; at++)
        if (*at < ' ' || *at == '"' || *at == '\\' || *at == DELETE)
            return UNUSUAL;
    return PLAIN;
}

static Reading set_integer(Value *value, long long number)
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char *at = value->digits + MOST_DIGITS;
    value->form = NUMBER;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        *--at = '-';
    value->number = number;
    value->text.start = at;
    value->text.size = value->digits + MOST_DIGITS - at;
    return PLAIN;
}

static Reading read_integer(PyObject *object, Value *value)
{
    long long number = PyLong_AsLongLong(object);
    if (number == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError))
            return FAULT;
        PyErr_Clear();
        return UNUSUAL;
    }
    return set_integer(value, number);
}

static Reading set_text(Value *value, const char *start, Py_ssize_t size)
{
    value->form = TEXT;
    value->quoted = 1;
    value->text.start = start;
    value->text.size = size;
    return PLAIN;
}

static Reading set_word(Value *value, Form form, const char *word)
{
    value->form = form;
    value->text.start = word;
    value->text.size = (Py_ssize_t)strlen(word);
    return PLAIN;
}

static Reading read_level(PyObject *level, Piece *price, Piece *amount)
{
    Reading found;
    PyObject *first, *second;
    if (!PyTuple_Check(level) || PyTuple_Size(level) != 2)
        return UNUSUAL;
    first = PyTuple_GetItem(level, 0);
    second = PyTuple_GetItem(level, 1);
    if (!PyUnicode_Check(first) || !PyUnicode_Check(second))
        return UNUSUAL;
    found = read_text(first, price);
    return found == PLAIN ? read_text(second, amount) : found;
}

/* Find out how much room [["price","amount"],…] needs. */
static Reading read_levels(PyObject *levels, Value *value)
{
    Py_ssize_t at, count = PyList_Size(levels), size = 2;
    Piece price, amount;
    for (at = 0; at < count; at++) {
        Reading found = read_level(PyList_GetItem(levels, at), &price, &amount);
        if (found != PLAIN)
            return found;
        size += price.size + amount.size + (Py_ssize_t)strlen("[\"\",\"\"],");
    }
    value->levels = levels;
    value->text.size = size - (count > 0);
    return PLAIN;
}

static void clear_value(Value *value)
{
    value->levels = NULL;
    value->form = NESTED;
    value->quoted = 0;
    value->number = 0;
    value->view.obj = NULL;
}

static Reading read_value(PyObject *object, Value *value)
{
    clear_value(value);
    if (PyUnicode_Check(object)) {
        value->form = TEXT;
        value->quoted = 1;
        return read_text(object, &value->text);
    }
    if (object == Py_None)
        return set_word(value, NOTHING, "null");
    if (PyBool_Check(object))
        return set_word(value, FLAG, object == Py_True ? "true" : "false");
    if (PyLong_Check(object))
        return read_integer(object, value);
    if (PyList_Check(object))
        return read_levels(object, value);
    if (!PyObject_CheckBuffer(object))
        return UNUSUAL;
    if (PyObject_GetBuffer(object, &value->view, PyBUF_SIMPLE) < 0)
        return FAULT;
    value->text.start = value->view.buf;
    value->text.size = value->view.len;
    return PLAIN;
}

/* ---- writing */

static char *put(char *at, const char *text, Py_ssize_t size)
{
    if (size > 0) /* what is empty may be nowhere */
        memcpy(at, text, (size_t)size);
    return at + size;
}

static char *put_text(char *at, const Piece *text)
{
    *at++ = '"';
    at = put(at, text->start, text->size);
    *at++ = '"';
    return at;
}

static char *put_levels(char *at, PyObject *levels)
{
    Py_ssize_t place, count = PyList_Size(levels);
    Piece price, amount;
    *at++ = '[';
    for (place = 0; place < count; place++) {
        if (place > 0)
            *at++ = ',';
        read_level(PyList_GetItem(levels, place), &price, &amount); /* it was plain when it was measured */
        *at++ = '[';
        at = put_text(at, &price);
        *at++ = ',';
        at = put_text(at, &amount);
        *at++ = ']';
    }
    *at++ = ']';
    return at;
}

/* The id's text, which is in two pieces where it is made of a number. */
static char *put_id(char *at, const Writer *writer, const Value *first)
{
    at = put(at, writer->id_prefix.start, writer->id_prefix.size);
    return put(at, first->text.start, first->text.size);
}

static char *put_slot(char *at, const Writer *writer, const Value values[], Py_ssize_t place)
{
    const Value *value = &values[writer->slot[place]];
    if (value->levels != NULL)
        return put_levels(at, value->levels);
    if (!value->quoted)
        return put(at, value->text.start, value->text.size);
    *at++ = '"';
    at = place == 0 ? put_id(at, writer, value) : put(at, value->text.start, value->text.size);
    *at++ = '"';
    return at;
}

static PyObject *write_body(const Writer *writer, const Value values[], Py_ssize_t size)
{
    PyObject *body = PyBytes_FromStringAndSize(NULL, size);
    Py_ssize_t place;
    char *at;
    if (body == NULL)
        return NULL;
    at = PyBytes_AsString(body);
    for (place = 0; place < writer->slotted; place++) {
        at = put(at, writer->parts[place].start, writer->parts[place].size);
        at = put_slot(at, writer, values, place);
    }
    put(at, writer->parts[place].start, writer->parts[place].size);
    return body;
}

static PyObject *write_command(const Writer *writer, const Value *first, Py_ssize_t size)
{
    Py_ssize_t begin = PyBytes_Size(writer->command), head = PyBytes_Size(writer->head);
    Py_ssize_t headers = head == 0 ? 0 : head + writer->id_prefix.size + first->text.size + 4;
    Value sizes[2];
    PyObject *command;
    char *at;
    set_integer(&sizes[0], headers); /* snprintf takes ten times as long */
    set_integer(&sizes[1], headers + size);
    command = PyBytes_FromStringAndSize(
        NULL, begin + (head == 0 ? 0 : sizes[0].text.size + 1) + sizes[1].text.size + 2 + headers);
    if (command == NULL)
        return NULL;
    at = put(PyBytes_AsString(command), PyBytes_AsString(writer->command), begin);
    if (head > 0) {
        at = put(at, sizes[0].text.start, sizes[0].text.size);
        *at++ = ' ';
    }
    at = put(at, sizes[1].text.start, sizes[1].text.size);
    at = put(at, "\r\n", 2);
    if (head > 0) {
        at = put(at, PyBytes_AsString(writer->head), head);
        at = put_id(at, writer, first);
        put(at, "\r\n\r\n", 4);
    }
    return command;
}

static PyObject *write_parts(const Writer *writer, const Value values[])
{
    Py_ssize_t place, size = writer->fixed + writer->id_prefix.size;
    PyObject *body, *command, *parts = NULL;
    for (place = 0; place < writer->slotted; place++) {
        const Value *value = &values[writer->slot[place]];
        size += value->text.size + 2 * value->quoted;
    }
    body = write_body(writer, values, size);
    command = body == NULL ? NULL : write_command(writer, &values[0], size);
    if (command != NULL)
        parts = PyTuple_Pack(3, command, body, writer->end);
    Py_XDECREF(command);
    Py_XDECREF(body);
    return parts;
}

/* Return a value as it was given, or what one that was read from a frame is in Python. */
static PyObject *item_of(const Writer *writer, PyObject *const objects[], const Value values[], int which)
{
    const Value *value = &values[which];
    PyObject *item = objects == NULL ? NULL : objects[which];
    if (which == 0 && writer->prefix != Py_None)
        return PyUnicode_FromStringAndSize(value->text.start, value->text.size);
    if (item == NULL && value->form == TEXT)
        return PyUnicode_FromStringAndSize(value->text.start, value->text.size);
    if (item == NULL && value->form == NUMBER)
        return PyLong_FromLongLong(value->number);
    if (item == NULL && value->form == FLAG)
        return PyBool_FromLong(*value->text.start == 't');
    if (item == NULL)
        item = Py_None;
    Py_INCREF(item);
    return item;
}

static PyObject *make_detail(const Writer *writer, PyObject *const objects[], const Value values[])
{
    PyObject *shown, *detail;
    Py_ssize_t place;
    if (writer->details == Py_None) {
        Py_INCREF(Py_None);
        return Py_None;
    }
    shown = PyTuple_New(writer->showing);
    for (place = 0; shown != NULL && place < writer->showing; place++) {
        PyObject *item = item_of(writer, objects, values, writer->shown[place]);
        if (item == NULL || PyTuple_SetItem(shown, place, item) < 0)
            Py_CLEAR(shown);
    }
    if (shown == NULL || writer->detail == Py_None)
        return shown;
    detail = PyObject_CallObject(writer->detail, shown);
    Py_DECREF(shown);
    return detail;
}

static PyObject *make_message(const Writer *writer, PyObject *const objects[], const Value values[])
{
    PyObject *message = NULL, *detail, *parts = write_parts(writer, values);
    if (parts == NULL)
        return NULL;
    detail = make_detail(writer, objects, values);
    if (detail != NULL)
        message = PyObject_CallFunctionObjArgs(writer->message, writer->route, parts, detail, NULL);
    Py_XDECREF(detail);
    Py_DECREF(parts);
    return message;
}

/* ---- what is given */

/* Put what is given by name into its place, and defaults elsewhere. */
static Reading find_values(const Writer *writer, PyObject *const *given, PyObject *names, PyObject *objects[])
{
    Py_ssize_t at, next = 0, count = names == NULL ? 0 : PyTuple_Size(names);
    for (at = 0; at < writer->count; at++)
        objects[at] = PyTuple_GetItem(writer->defaults, at);
    for (at = 0; at < count; at++) {
        PyObject *name = PyTuple_GetItem(names, at);
        Py_ssize_t tried = 0;
        while (tried < writer->count && PyTuple_GetItem(writer->names, next) != name) {
            next = next + 1 == writer->count ? 0 : next + 1;
            tried++;
        }
        if (tried == writer->count)
            return UNUSUAL;
        objects[next] = given[at];
        next = next + 1 == writer->count ? 0 : next + 1;
    }
    for (at = 0; at < writer->count; at++)
        if (objects[at] == Py_Ellipsis)
            return UNUSUAL;
    return PLAIN;
}

/* Whether a text that is plain JSON may be an id, which is a header, too. */
static int is_id(const Value *value, Py_ssize_t before)
{
    Py_ssize_t at;
    if (!value->quoted || value->text.size < 1 || before + value->text.size > LONGEST_ID)
        return 0;
    for (at = 0; at < value->text.size; at++)
        if ((unsigned char)value->text.start[at] > DELETE)
            return 0;
    return 1;
}

static int are_times(const Writer *writer, const Value values[])
{
    if (values[2].form != NUMBER || values[2].number < 0)
        return 0;
    if (values[1].form == NOTHING)
        return 1;
    return values[1].form == NUMBER && values[1].number > 0 && values[1].number - writer->ahead <= values[2].number;
}

static Reading check_values(const Writer *writer, Value values[])
{
    if (writer->prefix != Py_None) {
        if (values[0].form != NUMBER || values[0].number < 0)
            return UNUSUAL;
        values[0].quoted = 1;
    }
    if (!is_id(&values[0], writer->id_prefix.size) || (writer->named >= 0 && !is_id(&values[writer->named], 0)))
        return UNUSUAL;
    return are_times(writer, values) ? PLAIN : UNUSUAL;
}

static PyObject *ask(const Writer *writer, PyObject *const *given, Py_ssize_t count, PyObject *names)
{
    Py_ssize_t at, named = names == NULL ? 0 : PyTuple_Size(names);
    PyObject *made = NULL, *by_name = PyDict_New(), *by_place = PyTuple_New(count);
    for (at = 0; by_place != NULL && at < count; at++) {
        Py_INCREF(given[at]);
        if (PyTuple_SetItem(by_place, at, given[at]) < 0)
            Py_CLEAR(by_place);
    }
    for (at = 0; by_name != NULL && at < named; at++)
        if (PyDict_SetItem(by_name, PyTuple_GetItem(names, at), given[count + at]) < 0)
            Py_CLEAR(by_name);
    if (by_name != NULL && by_place != NULL)
        made = PyObject_Call(writer->python, by_place, by_name);
    Py_XDECREF(by_name);
    Py_XDECREF(by_place);
    return made;
}

static PyObject *writer_write(PyObject *self, PyObject *const *given, Py_ssize_t count, PyObject *names)
{
    const Writer *writer = (const Writer *)self;
    PyObject *objects[MOST_VALUES], *message = NULL;
    Value values[MOST_VALUES];
    Py_ssize_t read = 0;
    Reading found = count > 0 ? UNUSUAL : find_values(writer, given, names, objects);
    for (; found == PLAIN && read < writer->count; read++)
        found = read_value(objects[read], &values[read]);
    if (found == PLAIN)
        found = check_values(writer, values);
    if (found == PLAIN)
        message = make_message(writer, objects, values);
    while (read-- > 0)
        if (values[read].view.obj != NULL)
            PyBuffer_Release(&values[read].view);
    return found == UNUSUAL ? ask(writer, given, count, names) : message;
}

/* ---- the type */

/* Read a tuple of numbers below `limit`; how many there are, -1 with an error for anything else. */
static Py_ssize_t read_places(PyObject *tuple, int places[], Py_ssize_t most, Py_ssize_t limit)
{
    Py_ssize_t at, count = PyTuple_Size(tuple);
    for (at = 0; at < count && at < most; at++) {
        long place = PyLong_AsLong(PyTuple_GetItem(tuple, at));
        if (place < 0 || place >= limit)
            break;
        places[at] = (int)place;
    }
    if (at == count)
        return count;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "a place that is none");
    return -1;
}

static int read_pieces(Writer *writer)
{
    Py_ssize_t place;
    char *start;
    for (place = 0; place <= writer->slotted; place++) {
        Piece *piece = &writer->parts[place];
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(writer->pieces, place), &start, &piece->size) < 0)
            return -1;
        piece->start = start;
        writer->fixed += piece->size;
    }
    if (writer->prefix == Py_None)
        return 0;
    if (PyBytes_AsStringAndSize(writer->prefix, &start, &writer->id_prefix.size) < 0)
        return -1;
    writer->id_prefix.start = start;
    return 0;
}

static int fill_writer(Writer *writer)
{
    writer->count = PyTuple_Size(writer->names);
    if (writer->count < 3 || writer->count > MOST_VALUES || PyTuple_Size(writer->defaults) != writer->count ||
        writer->named >= writer->count) {
        PyErr_Format(PyExc_ValueError, "%zd values", writer->count);
        return -1;
    }
    writer->slotted = read_places(writer->slots, writer->slot, MOST_VALUES, writer->count);
    writer->showing = writer->details == Py_None
                          ? 0
                          : read_places(writer->details, writer->shown, MOST_DETAILS, writer->count);
    if (writer->slotted < 0 || writer->showing < 0)
        return -1;
    if (writer->slotted < 1 || writer->slot[0] != 0 || PyTuple_Size(writer->pieces) != writer->slotted + 1) {
        PyErr_SetString(PyExc_ValueError, "the id comes first, and a piece stands around each value");
        return -1;
    }
    return read_pieces(writer);
}

static PyObject **const *owned(Writer *writer, PyObject **held[])
{
    PyObject **all[] = {&writer->python, &writer->message,  &writer->route, &writer->command, &writer->head,
                        &writer->pieces, &writer->end,      &writer->names, &writer->defaults, &writer->slots,
                        &writer->prefix, &writer->detail, &writer->details};
    memcpy(held, all, sizeof all);
    return held;
}

#define OWNED 13

static PyObject *writer_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Writer given = {.python = NULL}, *writer;
    PyObject **held[OWNED];
    int at;
    if (!PyArg_ParseTuple(args, "OOO(SSO!S)(O!O!O!O)(OO)Li:Writer", &given.python, &given.message, &given.route,
                          &given.command, &given.head, &PyTuple_Type, &given.pieces, &given.end, &PyTuple_Type,
                          &given.names, &PyTuple_Type, &given.defaults, &PyTuple_Type, &given.slots, &given.prefix,
                          &given.detail, &given.details, &given.ahead, &given.named))
        return NULL;
    if (given.details != Py_None && !PyTuple_Check(given.details))
        return PyErr_Format(PyExc_TypeError, "details are a tuple or None");
    writer = (Writer *)allocate(type, 0);
    if (writer == NULL)
        return NULL;
    memcpy((char *)writer + sizeof(PyObject), (char *)&given + sizeof(PyObject), sizeof given - sizeof(PyObject));
    owned(writer, held);
    for (at = 0; at < OWNED; at++)
        Py_INCREF(*held[at]);
    if (fill_writer(writer) < 0) {
        Py_DECREF(writer);
        return NULL;
    }
    return (PyObject *)writer;
}

static int writer_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyObject **held[OWNED];
    int at;
    Py_VISIT(Py_TYPE(self));
    owned((Writer *)self, held);
    for (at = 0; at < OWNED; at++)
        Py_VISIT(*held[at]);
    return 0;
}

static int writer_clear(PyObject *self)
{
    PyObject **held[OWNED];
    int at;
    owned((Writer *)self, held);
    for (at = 0; at < OWNED; at++)
        Py_CLEAR(*held[at]);
    return 0;
}

static void writer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    PyObject_GC_UnTrack(self);
    writer_clear(self);
    release(self);
    Py_DECREF(type);
}

static PyMethodDef METHODS[] = {
    {"write", (PyCFunction)(void (*)(void))writer_write, METH_FASTCALL | METH_KEYWORDS,
     "Return the message of these values."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef MEMBERS[] = {
    {"names", T_OBJECT_EX, offsetof(Writer, names), READONLY, "Of the values, in their places."},
    {"defaults", T_OBJECT_EX, offsetof(Writer, defaults), READONLY, "Of the values; Ellipsis where there is none."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, "Writes all events of an instrument and kind."},
    {Py_tp_new, writer_new},
    {Py_tp_dealloc, writer_dealloc},
    {Py_tp_traverse, writer_traverse},
    {Py_tp_clear, writer_clear},
    {Py_tp_methods, METHODS},
    {Py_tp_members, MEMBERS},
    {0, NULL},
};

static PyType_Spec SPEC = {
    .name = "producers.normalize.compiled.writing.Writer",
    .basicsize = sizeof(Writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = SLOTS,
};

#include "reading.h"

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **kept)
{
    *kept = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *kept == NULL ? -1 : PyModule_AddType(module, *kept);
}

static int module_exec(PyObject *module)
{
    Types *types = PyModule_GetState(module);
    if (add_type(module, &SPEC, &types->writer) < 0 || add_type(module, &PLAN_SPEC, &types->plan) < 0 ||
        add_type(module, &READER_SPEC, &types->reader) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "SOURCE", SOURCE_DIGEST);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    Types *types = PyModule_GetState(module);
    Py_VISIT(types->writer);
    Py_VISIT(types->plan);
    Py_VISIT(types->reader);
    return 0;
}

static int module_clear(PyObject *module)
{
    Types *types = PyModule_GetState(module);
    Py_CLEAR(types->writer);
    Py_CLEAR(types->plan);
    Py_CLEAR(types->reader);
    return 0;
}

static PyModuleDef_Slot MODULE_SLOTS[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "writing",
    .m_doc = "Writes events in one step.",
    .m_size = sizeof(Types),
    .m_slots = MODULE_SLOTS,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit_writing(void)
{
    return PyModuleDef_Init(&MODULE);
}
