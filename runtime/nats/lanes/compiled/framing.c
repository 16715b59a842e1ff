/* Splits a chunk of the bus into the messages of its lanes: what runtime/nats/lanes/framing.py is.
 *
 * Only the limited API of Python 3.11 is used, so that one file serves every later version. What is no plain line of a
 * message is read by the Python side, so that what is accepted, and the error where it is not, are the same.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#ifndef SOURCE_DIGEST
#define SOURCE_DIGEST "unknown"
#endif

#define MOST_DIGITS 9
#define MOST_WORDS 6     /* HMSG <subject> <sid> <reply> <header bytes> <all bytes> */
#define PLACE_PARTS 4    /* subject, number, reply, size of the headers */
#define MESSAGE_PARTS 4  /* subject, payload, reply, headers */
#define KNOWN_PARTS 2    /* subject, number */
#define INBOX "_INBOX"   /* with it begin the subjects of answers, each of which has its own */
#define INBOX_SIZE 6

typedef enum { FAULT = -1, OVER, DONE } Step;

typedef struct {
    const char *start;
    Py_ssize_t size;
} Word;

/* What a line says of its message; the objects are owned. */
typedef struct {
    PyObject *subject;
    PyObject *number; /* of the subscription */
    PyObject *reply;
    Py_ssize_t header_size;
    Py_ssize_t size; /* with the headers */
} Line;

typedef struct {
    const char *start;
    Py_ssize_t size;
    PyObject *lines;
    PyObject *lanes;
    PyObject *places;
    Py_ssize_t most;
    PyObject *read_line; /* runtime.nats.lanes.framing.read_line */
    PyObject *taken;
    PyObject *lane; /* the last one, and its messages: both kept by `taken` */
    PyObject *messages;
} Framing;

typedef struct {
    PyObject *read_line;
} State;

/* ---- a line */

static void free_line(Line *line)
{
    Py_CLEAR(line->subject);
    Py_CLEAR(line->number);
    Py_CLEAR(line->reply);
}

/* How many words stand between spaces; one more than MOST_WORDS where there are more. */
static int find_words(const char *at, const char *end, Word words[])
{
    int count = 0;
    for (; count < MOST_WORDS; at++) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        words[count].start = at;
        words[count++].size = (space == NULL ? end : space) - at;
        if (space == NULL)
            return count;
        at = space;
    }
    return count + 1;
}

static int is_word(const Word *word, const char *text)
{
    return (size_t)word->size == strlen(text) && memcmp(word->start, text, (size_t)word->size) == 0;
}

/* The number of bytes that a word says; -1 where it is not plain digits. */
static Py_ssize_t read_size(const Word *word)
{
    Py_ssize_t size = 0, at;
    if (word->size == 0 || word->size > MOST_DIGITS)
        return -1;
    for (at = 0; at < word->size; at++) {
        if (word->start[at] < '0' || word->start[at] > '9')
            return -1;
        size = size * 10 + (word->start[at] - '0');
    }
    return size;
}

/* Find subject and number among what is remembered: of many messages they are the same. Those of answers never are. */
static PyObject *find_known(const Framing *framing, const Word *subject, const Word *number)
{
    PyObject *key, *known;
    if (subject->size >= INBOX_SIZE && memcmp(subject->start, INBOX, INBOX_SIZE) == 0)
        return Py_BuildValue("y#y#", subject->start, subject->size, number->start, number->size);
    key = PyBytes_FromStringAndSize(subject->start, number->start + number->size - subject->start);
    if (key == NULL)
        return NULL;
    known = PyDict_GetItemWithError(framing->places, key);
    if (known != NULL) {
        Py_INCREF(known);
    } else if (!PyErr_Occurred()) {
        known = Py_BuildValue("y#y#", subject->start, subject->size, number->start, number->size);
        if (PyDict_Size(framing->places) >= framing->most)
            PyDict_Clear(framing->places);
        if (known != NULL && PyDict_SetItem(framing->places, key, known) < 0)
            Py_CLEAR(known);
    }
    Py_DECREF(key);
    return known;
}

static PyObject *item_of(PyObject *tuple, Py_ssize_t size, Py_ssize_t place)
{
    PyObject *item = NULL;
    if (PyTuple_Check(tuple) && PyTuple_Size(tuple) == size)
        item = PyTuple_GetItem(tuple, place);
    else
        PyErr_Format(PyExc_TypeError, "a tuple of %zd, not %R", size, tuple);
    Py_XINCREF(item);
    return item;
}

/* Let the Python side read a line. */
static Step ask(const Framing *framing, const Word *words, const Word *last, Line *line)
{
    PyObject *said = PyObject_CallFunction(framing->read_line, "Oy#y#", framing->lines, words->start, words->size,
                                           last->start, last->size);
    PyObject *place = said == NULL ? NULL : item_of(said, 2, 0), *size = NULL;
    Step step = FAULT;
    if (place == Py_None) {
        step = OVER;
    } else if (place != NULL && (line->subject = item_of(place, PLACE_PARTS, 0)) != NULL) {
        line->number = item_of(place, PLACE_PARTS, 1);
        line->reply = item_of(place, PLACE_PARTS, 2);
        size = item_of(place, PLACE_PARTS, 3);
        line->header_size = PyLong_AsSsize_t(size);
        line->size = PyLong_AsSsize_t(PyTuple_GetItem(said, 1));
        step = PyErr_Occurred() ? FAULT : DONE;
    }
    Py_XDECREF(size);
    Py_XDECREF(place);
    Py_XDECREF(said);
    return step;
}

/* Read the line from `start` up to `end`, which is behind its last character. */
static Step read_line(const Framing *framing, const char *start, const char *end, Line *line)
{
    Word words[MOST_WORDS], whole = {start, 0}, last;
    PyObject *known;
    int count, with_headers;
    if (end - start < 2 || end[-2] != '\r' || (*start != 'M' && *start != 'H'))
        return OVER;
    count = find_words(start, end - 2, words);
    with_headers = is_word(&words[0], "HMSG");
    if (!with_headers && !is_word(&words[0], "MSG"))
        return OVER;
    if (count - with_headers == 4 || count - with_headers == 5) {
        line->size = read_size(&words[count - 1]);
        line->header_size = with_headers ? read_size(&words[count - 2]) : 0;
        if (line->size >= 0 && line->header_size >= 0) {
            known = find_known(framing, &words[1], &words[2]);
            if (known == NULL || (line->subject = item_of(known, KNOWN_PARTS, 0)) == NULL)
                return FAULT;
            line->number = item_of(known, KNOWN_PARTS, 1);
            line->reply = count - with_headers == 5 ? PyBytes_FromStringAndSize(words[3].start, words[3].size)
                                                    : PyBytes_FromStringAndSize("", 0);
            Py_DECREF(known);
            return line->reply == NULL ? FAULT : DONE;
        }
    }
    for (last.start = end; last.start > start && last.start[-1] != ' '; last.start--)
        ;
    last.size = end - last.start;
    whole.size = last.start > start ? last.start - 1 - start : 0;
    return ask(framing, &whole, &last, line);
}

/* ---- messages */

/* Find the list of a lane's messages, which is kept for the next one: most are of the same lane. */
static int find_messages(Framing *framing, PyObject *lane)
{
    PyObject *found;
    if (lane == framing->lane)
        return 0;
    found = PyDict_GetItemWithError(framing->taken, lane);
    if (found == NULL) {
        if (PyErr_Occurred() || (found = PyList_New(0)) == NULL)
            return -1;
        if (PyDict_SetItem(framing->taken, lane, found) < 0) {
            Py_DECREF(found);
            return -1;
        }
        Py_DECREF(found);
    }
    framing->lane = lane;
    framing->messages = found;
    return 0;
}

static int add_message(const Framing *framing, const Line *line, const char *headers)
{
    PyObject *head = PyBytes_FromStringAndSize(headers, line->header_size), *message = NULL;
    PyObject *payload = PyBytes_FromStringAndSize(headers + line->header_size, line->size - line->header_size);
    int added = -1;
    if (head != NULL && payload != NULL)
        message = PyTuple_Pack(MESSAGE_PARTS, line->subject, payload, line->reply, head);
    if (message != NULL)
        added = PyList_Append(framing->messages, message);
    Py_XDECREF(message);
    Py_XDECREF(payload);
    Py_XDECREF(head);
    return added;
}

/* Take the message whose line was read and which goes on at `at`; OVER where it is of no lane, or not whole yet. */
static Step take_body(Framing *framing, const Line *line, Py_ssize_t at)
{
    PyObject *lane = PyDict_GetItemWithError(framing->lanes, line->number);
    if (lane == NULL)
        return PyErr_Occurred() ? FAULT : OVER;
    if (line->header_size < 0 || line->size < line->header_size || framing->size - at - 2 < line->size)
        return OVER;
    return find_messages(framing, lane) < 0 || add_message(framing, line, framing->start + at) < 0 ? FAULT : DONE;
}

/* Take the message at `*at`, and go on behind it. */
static Step take_message(Framing *framing, Py_ssize_t *at)
{
    const char *start = framing->start + *at, *end = memchr(start, '\n', (size_t)(framing->size - *at));
    Line line = {.subject = NULL, .number = NULL, .reply = NULL};
    Step step;
    if (end == NULL)
        return OVER;
    end++;
    step = read_line(framing, start, end, &line);
    if (step == DONE)
        step = take_body(framing, &line, end - framing->start);
    if (step == DONE)
        *at = end - framing->start + line.size + 2;
    free_line(&line);
    return step;
}

static PyObject *split(PyObject *module, PyObject *args)
{
    Framing framing = {.read_line = ((State *)PyModule_GetState(module))->read_line};
    Py_ssize_t at;
    Step step = DONE;
    PyObject *data;
    if (!PyArg_ParseTuple(args, "SnO!:split", &data, &at, &PyTuple_Type, &framing.lines) ||
        !PyArg_ParseTuple(framing.lines, "O!O!n:split", &PyDict_Type, &framing.lanes, &PyDict_Type, &framing.places,
                          &framing.most))
        return NULL;
    framing.start = PyBytes_AsString(data);
    framing.size = PyBytes_Size(data);
    if (at < 0 || (framing.taken = PyDict_New()) == NULL)
        return at < 0 ? PyErr_Format(PyExc_ValueError, "at %zd of a chunk", at) : NULL;
    while (step == DONE && at < framing.size)
        step = take_message(&framing, &at);
    if (step == FAULT) {
        Py_DECREF(framing.taken);
        return NULL;
    }
    return Py_BuildValue("nN", at, framing.taken);
}

/* ---- the module */

static PyMethodDef FUNCTIONS[] = {
    {"split", split, METH_VARARGS, "Return where the lanes' messages that stand in a row end, and them by lane."},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    State *state = PyModule_GetState(module);
    PyObject *python = PyImport_ImportModule("runtime.nats.lanes.framing");
    if (python == NULL)
        return -1;
    state->read_line = PyObject_GetAttrString(python, "read_line");
    Py_DECREF(python);
    return state->read_line == NULL ? -1 : PyModule_AddStringConstant(module, "SOURCE", SOURCE_DIGEST);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    State *state = PyModule_GetState(module);
    if (state != NULL)
        Py_VISIT(state->read_line);
    return 0;
}

static int module_clear(PyObject *module)
{
    State *state = PyModule_GetState(module);
    if (state != NULL)
        Py_CLEAR(state->read_line);
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
    .m_name = "framing",
    .m_doc = "Splits chunks of the bus into messages.",
    .m_size = sizeof(State),
    .m_methods = FUNCTIONS,
    .m_slots = MODULE_SLOTS,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit_framing(void)
{
    return PyModuleDef_Init(&MODULE);
}
