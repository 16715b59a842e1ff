/* Reads plain frames of a channel into messages, by a table of fields (producers/normalize/tables.py).
 *
 * A `Reader` has a channel's wanted keys; a `Plan` has an instrument's steps, one for each value of each event. What a
 * step does not plainly find makes the whole frame unusual: the venue's own decoder reads it then, and what was made
 * before is dropped. So both agree, or this one is silent.
 *
 * One file, since all of it is one type's: its steps, what it remembers, and how it is made.
 */
#define MOST_EVENTS 4
#define MOST_STEPS 24
#define MOST_PARTS 16
#define MOST_MADE 256 /* messages of a frame */

/* What a step makes of its field. The names are those of producers/normalize/tables.py, in the same order. */
typedef enum {
    MAKE_NAME,    /* a text, not empty */
    MAKE_DIGITS,  /* a text of digits, or an integer: as text */
    MAKE_PRICE,   /* a number above zero; zero is null where it may be absent */
    MAKE_AMOUNT,  /* a number */
    MAKE_SIGNED,  /* a number of either sign */
    MAKE_INTEGER,
    MAKE_CHOICE,  /* one of some words, each with its text */
    MAKE_SCALED,  /* a time: an integer, or the text of one, and `scale` ns each */
    MAKE_EITHER,  /* a time in ms, or in microseconds where it is too long for that */
    MAKE_DATE,    /* a time like 2026-11-21T20:00:00Z */
    MAKE_SPAN,    /* the number of a text `7-7`: a range of one */
    MAKE_COINS,   /* the amount of a size in contracts; `words` has their worth, `scale` 2 where they are inverse */
    MAKE_PERCENT, /* a fraction, as percent */
    MAKE_ID,      /* an id: the instrument's prefix, and parts */
    KINDS
} Kind;

typedef enum { PART_FIELD, PART_TIME, PART_FRAME, PART_FIGURES } Part;

typedef struct {
    Kind kind;
    int place;     /* of the value that it makes; -1 for a check */
    int field;
    int optional;  /* null where it is absent, null or an empty text */
    int form;      /* which form the field must have */
    int beside;    /* the field of the price without which an amount is null; -1 for none */
    int64_t scale;
    PyObject *given; /* of a choice its words, of an id its parts */
    Piece (*words)[2]; /* each with its text */
    int (*parts)[2];   /* each with its field */
    int count;         /* of words or parts */
} Step;

typedef struct {
    Writer *writer;
    Piece prefix;
    uint32_t needed; /* the event is made where one of these fields is there; 0 for always */
    Step *steps;
    int count;
} Event;

typedef struct {
    PyObject_HEAD
    PyObject *given;  /* owns all that the events refer to */
    Event *events;
    Py_ssize_t count;
} Plan;

typedef struct {
    PyObject_HEAD
    PyObject *python; /* the decoder of what is unusual: (frame, ts_recv) */
    PyObject *find;   /* the plan of an instrument by the venue's name; None where it has none */
    PyObject *crc32;
    PyObject *plans;  /* by that name, as far as they were met */
    PyObject *names;  /* the wanted keys, which nodes refer to */
    PyObject *last_name, *last_plan; /* what was found last; the plan is borrowed of `plans`, which forgets nothing */
    Node nodes[MOST_NODES];
    int outer, fields;
    int owner;        /* the field that names the instrument; -1 where all frames are of one */

    /* Of frames that say what changed: which fields are remembered, and by which one of them all are said. */
    uint32_t merged;
    int type;
    PyObject *restore; /* takes what was remembered, by field; the venue's decoder goes on from there */
    PyObject *kept[MOST_FIELDS];
    int left;          /* to the venue's decoder, for good */
} Reader;

typedef struct {
    PyTypeObject *writer, *plan, *reader;
} Types;

/* A frame that is being read. */
typedef struct {
    Scan scan; /* first, so that one is the other */
    Reader *reader;
    PyObject *frame;
    PyObject *ts_recv;
    long long received;
    PyObject *stamp; /* the frame's checksum, once it was wanted */
    PyObject *made[MOST_MADE];
    int count;
    uint32_t there;  /* which fields the frame itself has */
    Token tokens[MOST_FIELDS];
} Frame;

typedef struct {
    char text[LONGEST_ID + 1];
    Py_ssize_t size;
} Name;

/* What the values of an event are written in that stand nowhere in the frame. */
typedef struct {
    char numbers[MOST_VALUES + 1][MOST_WRITTEN]; /* the last one for checks */
    Name id;
} Room;

/* ---- steps */

static Reading add_to(Name *name, const char *start, Py_ssize_t size)
{
    if (size > LONGEST_ID - name->size)
        return UNUSUAL;
    put(name->text + name->size, start, size);
    name->size += size;
    return PLAIN;
}

/* Add a checksum of bytes as eight hexadecimal digits. */
static Reading add_checksum(const Frame *frame, Name *name, PyObject *bytes)
{
    char text[16];
    PyObject *sum = PyObject_CallFunctionObjArgs(frame->reader->crc32, bytes, NULL);
    unsigned long found = sum == NULL ? 0 : PyLong_AsUnsignedLong(sum);
    Py_XDECREF(sum);
    if (PyErr_Occurred())
        return FAULT;
    return add_to(name, text, snprintf(text, sizeof text, "%08lx", found & 0xFFFFFFFFUL));
}

/* Add a checksum of the texts of fields, from one to another one, with a comma between. */
static Reading add_figures(const Frame *frame, const Step *step, Name *name, int at)
{
    Name joined = {.size = 0};
    PyObject *bytes;
    Reading found = PLAIN;
    int first = at;
    for (; at < step->count && found == PLAIN; at++) {
        const Token *token = &frame->tokens[step->parts[at][1]];
        found = at > first ? add_to(&joined, ",", 1) : PLAIN;
        if (found == PLAIN && token->form == TEXT)
            found = add_to(&joined, token->text.start, token->text.size);
    }
    if (found != PLAIN)
        return found;
    bytes = PyBytes_FromStringAndSize(joined.text, joined.size);
    if (bytes == NULL)
        return FAULT;
    found = add_checksum(frame, name, bytes);
    Py_DECREF(bytes);
    return found;
}

static Reading add_part(const Frame *frame, const Step *step, const Value values[], Name *name, int at)
{
    const Token *token = &frame->tokens[step->parts[at][1] < 0 ? 0 : step->parts[at][1]];
    switch (step->parts[at][0]) {
    case PART_FRAME:
        return add_checksum(frame, name, frame->frame);
    case PART_TIME:
        if (values[1].form == NOTHING)
            return add_to(name, "0", 1);
        return add_to(name, values[1].text.start, values[1].text.size);
    default:
        if (token->form == ABSENT || token->form == NOTHING)
            return step->optional ? add_to(name, "0", 1) : UNUSUAL;
        if (token->form != TEXT && token->form != NUMBER)
            return UNUSUAL;
        return add_to(name, token->text.start, token->text.size);
    }
}

static Reading make_id(const Frame *frame, const Event *event, const Step *step, Value values[], Name *name)
{
    int at;
    Reading found = add_to(name, event->prefix.start, event->prefix.size);
    for (at = 0; at < step->count && found == PLAIN; at++) {
        found = at > 0 ? add_to(name, "-", 1) : PLAIN;
        if (found == PLAIN && step->parts[at][0] == PART_FIGURES)
            return add_figures(frame, step, name, at); /* which are all that follow */
        if (found == PLAIN)
            found = add_part(frame, step, values, name, at);
    }
    return found;
}

static Reading make_choice(const Step *step, const Token *token, Value *value)
{
    int at;
    for (at = 0; at < step->count; at++) {
        const Piece *word = &step->words[at][0], *text = &step->words[at][1];
        if (word->size != token->text.size || memcmp(word->start, token->text.start, (size_t)word->size) != 0)
            continue;
        return text->start == NULL ? set_word(value, NOTHING, "null") : set_text(value, text->start, text->size);
    }
    return UNUSUAL;
}

static Reading make_scaled(const Token *token, int64_t scale, Value *value)
{
    int64_t number, fraction = 0, places = scale == 1000000 ? 6 : 9;
    const char *point = token->form == TEXT ? memchr(token->text.start, '.', (size_t)token->text.size) : NULL;
    Py_ssize_t whole = point == NULL ? token->text.size : point - token->text.start;
    if (read_figures(token->text.start, whole, &number) != PLAIN || number == 0 || number > INT64_MAX / scale - 1 ||
        (whole > 1 && *token->text.start == '0'))
        return UNUSUAL;
    if (point != NULL && (scale < 1000000 ||
                          read_fraction(point + 1, token->text.size - whole - 1, places, &fraction) != PLAIN))
        return UNUSUAL;
    return set_integer(value, number * scale + fraction);
}

static Reading make_time(const Step *step, const Token *token, Value *value)
{
    int64_t ns;
    if (step->kind == MAKE_DATE)
        return token->form == TEXT && read_date(&token->text, &ns) == PLAIN ? set_integer(value, ns) : UNUSUAL;
    if (step->kind == MAKE_SCALED)
        return make_scaled(token, step->scale, value);
    return make_scaled(token, token->text.size < 15 ? 1000000 : 1000, value);
}

/* Read the number of a range of one, `7-7`. */
static Reading make_span(const Token *token, Value *value)
{
    const char *dash = memchr(token->text.start, '-', (size_t)token->text.size);
    int64_t number;
    Py_ssize_t size = dash == NULL ? 0 : dash - token->text.start;
    if (size == 0 || token->text.size != 2 * size + 1 || memcmp(token->text.start, dash + 1, (size_t)size) != 0 ||
        (size > 1 && *token->text.start == '0') || read_figures(token->text.start, size, &number) != PLAIN)
        return UNUSUAL;
    return set_integer(value, number);
}

/* The amount of a size in contracts; null where their worth is not known. */
static Reading make_coins(const Frame *frame, const Step *step, const Piece *size, char room[], Value *value)
{
    const Piece *price = step->scale == 2 ? &frame->tokens[step->beside].text : NULL;
    Exact coins;
    Piece text;
    if (step->count == 0 || step->words[0][0].size == 0)
        return set_word(value, NOTHING, "null");
    if (count_coins(size, &step->words[0][0], price, &coins) != PLAIN)
        return UNUSUAL;
    write_exact(&coins, room, &text);
    if (read_size(&text) == NO_NUMBER)
        return UNUSUAL;
    return set_text(value, text.start, text.size);
}

static Reading make_number(const Frame *frame, const Step *step, const Token *token, char room[], Value *value)
{
    int may_be_below = step->kind == MAKE_SIGNED || step->kind == MAKE_PERCENT;
    Piece text = token->text, unsigned_part = text;
    Size size;
    if (may_be_below && text.size > 0 && *text.start == '-') {
        unsigned_part.start++;
        unsigned_part.size--;
    }
    size = read_size(&unsigned_part);
    if (size == NO_NUMBER && token->form == NUMBER && expand(&text, room, &unsigned_part) == PLAIN) {
        text = unsigned_part;
        size = read_size(&text);
    }
    if (size == NO_NUMBER || (step->kind == MAKE_PRICE && size == ZERO && !step->optional))
        return UNUSUAL;
    if (step->kind == MAKE_PRICE && size == ZERO)
        return set_word(value, NOTHING, "null");
    if (step->beside >= 0) {
        const Token *price = &frame->tokens[step->beside];
        int known = (price->form == TEXT || price->form == NUMBER) && price->text.size > 0;
        Size worth = known ? read_size(&price->text) : ZERO;
        if (worth == NO_NUMBER)
            return UNUSUAL;
        if (worth == ZERO)
            return set_word(value, NOTHING, "null");
    }
    if (step->kind == MAKE_COINS)
        return make_coins(frame, step, &text, room, value);
    if (step->kind == MAKE_PERCENT && count_percent(&token->text, room, &text) != PLAIN)
        return UNUSUAL;
    return set_text(value, text.start, text.size);
}

static Reading make_integer(const Token *token, Value *value)
{
    int64_t number;
    return read_figures(token->text.start, token->text.size, &number) == PLAIN ? set_integer(value, number) : UNUSUAL;
}

static Reading make_digits(const Token *token, Value *value)
{
    const char *at = token->text.start, *end = at + token->text.size;
    int64_t number;
    if (token->form == NUMBER && read_figures(at, token->text.size, &number) != PLAIN)
        return UNUSUAL; /* more than an integer of 64 bits may be */
    return skip_figures(&at) && at == end ? set_text(value, token->text.start, token->text.size) : UNUSUAL;
}

static Reading make_value(const Frame *frame, const Step *step, char room[], Value *value)
{
    const Token *token = &frame->tokens[step->field];
    if (token->form == ABSENT || token->form == NOTHING || (token->form == TEXT && token->text.size == 0)) {
        if (token->form == TEXT && step->kind == MAKE_CHOICE)
            return make_choice(step, token, value);
        if ((token->form == TEXT && step->form != TEXT) || (token->form == NOTHING && step->kind == MAKE_CHOICE))
            return UNUSUAL;
        return step->optional ? set_word(value, NOTHING, "null") : UNUSUAL;
    }
    if ((int)token->form != step->form)
        return UNUSUAL;
    switch (step->kind) {
    case MAKE_NAME:
        return set_text(value, token->text.start, token->text.size);
    case MAKE_DIGITS:
        return make_digits(token, value);
    case MAKE_INTEGER:
        return make_integer(token, value);
    case MAKE_CHOICE:
        return make_choice(step, token, value);
    case MAKE_SPAN:
        return make_span(token, value);
    case MAKE_SCALED:
    case MAKE_EITHER:
    case MAKE_DATE:
        return make_time(step, token, value);
    default:
        return make_number(frame, step, token, room, value);
    }
}

/* ---- events */

static Reading fill_values(const Frame *frame, const Event *event, Value values[], Room *room)
{
    const Writer *writer = event->writer;
    const Step *step;
    Value checked;
    Reading found = PLAIN;
    Py_ssize_t at;
    for (at = 0; at < writer->count; at++)
        values[at].text.start = NULL;
    set_integer((clear_value(&values[2]), &values[2]), frame->received);
    for (step = event->steps; step < event->steps + event->count && found == PLAIN; step++) {
        Value *value = step->place < 0 ? &checked : &values[step->place];
        clear_value(value);
        if (step->kind != MAKE_ID) {
            found = make_value(frame, step, room->numbers[step->place < 0 ? MOST_VALUES : step->place], value);
            continue;
        }
        found = make_id(frame, event, step, values, &room->id);
        set_text(value, room->id.text, room->id.size);
    }
    for (at = 0; at < writer->count && found == PLAIN; at++) {
        if (values[at].text.start != NULL)
            continue;
        found = read_value(PyTuple_GetItem(writer->defaults, at), &values[at]);
        if (values[at].view.obj != NULL) { /* no default is bytes */
            PyBuffer_Release(&values[at].view);
            found = UNUSUAL;
        }
    }
    return found;
}

static Reading make_event(Frame *frame, const Event *event)
{
    Value values[MOST_VALUES];
    Room room;
    Reading found;
    room.id.size = 0;
    found = fill_values(frame, event, values, &room);
    if (found == PLAIN)
        found = check_values(event->writer, values);
    if (found != PLAIN)
        return found;
    if (frame->count == MOST_MADE)
        return UNUSUAL;
    frame->made[frame->count] = make_message(event->writer, NULL, values);
    return frame->made[frame->count] == NULL ? FAULT : (frame->count++, PLAIN);
}

static int is_last(const Reader *reader, const Piece *owner)
{
    Py_ssize_t size;
    const char *name = reader->last_name == NULL ? NULL : PyUnicode_AsUTF8AndSize(reader->last_name, &size);
    return name != NULL && size == owner->size && memcmp(name, owner->start, (size_t)size) == 0;
}

/* Return an instrument's plan, borrowed; NULL without an error where it has none. */
static PyObject *find_plan(Frame *frame)
{
    Reader *reader = frame->reader;
    const Token *owner = reader->owner < 0 ? NULL : &frame->tokens[reader->owner];
    Piece text = {.start = "", .size = 0};
    PyObject *name, *plan;
    if (owner != NULL && owner->form != TEXT)
        return NULL;
    if (owner != NULL)
        text = owner->text;
    if (is_last(reader, &text))
        return reader->last_plan;
    name = PyUnicode_FromStringAndSize(text.start, text.size);
    if (name == NULL)
        return NULL;
    plan = PyDict_GetItemWithError(reader->plans, name);
    if (plan == NULL && !PyErr_Occurred()) {
        plan = PyObject_CallFunctionObjArgs(reader->find, name, NULL);
        if (plan == Py_None) { /* none yet */
            Py_DECREF(plan);
            plan = NULL;
        } else if (plan != NULL) {
            int kept = PyDict_SetItem(reader->plans, name, plan);
            Py_DECREF(plan);
            plan = kept < 0 ? NULL : PyDict_GetItemWithError(reader->plans, name);
        }
    } else if (plan != NULL) {
        Py_XDECREF(reader->last_name);
        Py_INCREF(reader->last_name = name);
        reader->last_plan = plan;
    }
    Py_DECREF(name);
    return plan;
}

/* Return which fields a frame has, those left out that are null. */
static uint32_t find_there(const Frame *frame)
{
    uint32_t there = 0;
    int at;
    if (frame->reader->merged != 0)
        return frame->there;
    for (at = 0; at < frame->reader->fields; at++)
        if (frame->tokens[at].form != ABSENT && frame->tokens[at].form != NOTHING)
            there |= (uint32_t)1 << at;
    return there;
}

/* Make the events of a row, or of a frame without rows. */
static Reading take_row(Scan *scan)
{
    Frame *frame = (Frame *)scan;
    PyObject *found = find_plan(frame);
    Types *types = PyType_GetModuleState(Py_TYPE((PyObject *)frame->reader));
    Reading read = PLAIN;
    Plan *plan;
    Py_ssize_t at;
    if (found == NULL)
        return PyErr_Occurred() ? FAULT : UNUSUAL;
    if (Py_TYPE(found) != types->plan)
        return UNUSUAL;
    plan = (Plan *)found;
    Py_INCREF(found); /* what is made may run anything */
    for (at = 0; at < plan->count && read == PLAIN; at++) {
        const Event *event = &plan->events[at];
        if (event->needed == 0 || (event->needed & find_there(frame)) != 0)
            read = make_event(frame, event);
    }
    Py_DECREF(found);
    return read;
}

static PyObject *give_made(Frame *frame, Reading found)
{
    PyObject *made = found == PLAIN ? PyTuple_New(frame->count) : NULL;
    int at, kept = 0;
    for (at = 0; made != NULL && at < frame->count; at++) {
        kept = at + 1;
        if (PyTuple_SetItem(made, at, frame->made[at]) < 0)
            Py_CLEAR(made);
    }
    for (at = kept; at < frame->count; at++)
        Py_DECREF(frame->made[at]);
    return made;
}

/* Put what was remembered where the frame says nothing, unless it says all. */
static Reading merge(Frame *frame)
{
    const Reader *reader = frame->reader;
    const Token *type = &frame->tokens[reader->type];
    uint32_t objects = 0;
    int at, whole = type->text.size == 8 && memcmp(type->text.start, "snapshot", 8) == 0;
    for (at = 1; at < MOST_NODES && reader->nodes[at].count > 0; at++)
        objects |= (uint32_t)1 << at;
    if (frame->scan.seen != objects)
        return UNUSUAL; /* what is merged may say nothing, but it must be there */
    for (at = 0; at < reader->fields; at++) {
        Token *token = &frame->tokens[at];
        if ((reader->merged >> at & 1) == 0)
            continue;
        if (token->form != ABSENT && token->form != TEXT)
            return UNUSUAL;
        if (token->form == TEXT)
            frame->there |= (uint32_t)1 << at;
        else if (!whole && reader->kept[at] != NULL) {
            token->form = TEXT;
            token->text.start = PyBytes_AsString(reader->kept[at]);
            token->text.size = PyBytes_Size(reader->kept[at]);
        }
    }
    return PLAIN;
}

/* Remember what a frame said that was read. */
static Reading keep(Frame *frame)
{
    PyObject *fresh[MOST_FIELDS] = {NULL}, *old;
    Reader *reader = frame->reader;
    int at;
    for (at = 0; at < reader->fields; at++) {
        const Token *token = &frame->tokens[at];
        if ((reader->merged >> at & 1) == 0 || token->form != TEXT)
            continue;
        if ((frame->there >> at & 1) == 0)
            Py_INCREF(fresh[at] = reader->kept[at]);
        else if ((fresh[at] = PyBytes_FromStringAndSize(token->text.start, token->text.size)) == NULL)
            break;
    }
    if (at < reader->fields) {
        while (at-- > 0)
            Py_XDECREF(fresh[at]);
        return FAULT;
    }
    for (at = 0; at < reader->fields; at++) {
        old = reader->kept[at];
        reader->kept[at] = fresh[at];
        Py_XDECREF(old);
    }
    return PLAIN;
}

/* Give what was remembered to the venue's decoder, which reads all further frames. */
static int leave(Reader *reader)
{
    PyObject *said = PyTuple_New(reader->fields), *done;
    int at;
    for (at = 0; said != NULL && at < reader->fields; at++) {
        PyObject *text = reader->kept[at] == NULL ? Py_None : reader->kept[at];
        Py_INCREF(text);
        if (PyTuple_SetItem(said, at, text) < 0)
            Py_CLEAR(said);
    }
    done = said == NULL ? NULL : PyObject_CallFunctionObjArgs(reader->restore, said, NULL);
    reader->left = done != NULL;
    Py_XDECREF(said);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *reader_read(PyObject *self, PyObject *const *given, Py_ssize_t count)
{
    Frame frame;
    Reading found = UNUSUAL;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "read takes a frame and the time of its receipt");
    frame.reader = (Reader *)self;
    frame.count = 0;
    frame.there = 0;
    if (PyBytes_Check(given[0]) && PyLong_Check(given[1]) && !frame.reader->left) {
        frame.frame = given[0];
        frame.received = PyLong_AsLongLong(given[1]);
        if (frame.received == -1 && PyErr_Occurred())
            PyErr_Clear(); /* -1 is no time either */
        frame.scan = (Scan){.at = PyBytes_AsString(given[0]), .nodes = frame.reader->nodes, .tokens = frame.tokens,
                            .outer = frame.reader->outer, .fields = frame.reader->fields, .take = take_row};
        memset(frame.tokens, 0, sizeof frame.tokens); /* whatever fields a plan asks for */
        found = scan_frame(&frame.scan);
        if (found == PLAIN && frame.scan.at != PyBytes_AsString(given[0]) + PyBytes_Size(given[0]))
            found = UNUSUAL;
        if (found == PLAIN && frame.reader->merged != 0)
            found = merge(&frame);
        if (found == PLAIN && frame.scan.rows == 0 && frame.reader->outer == frame.reader->fields)
            found = take_row(&frame.scan);
        if (found == PLAIN && frame.count == 0)
            found = UNUSUAL;
        if (found == PLAIN && frame.reader->merged != 0)
            found = keep(&frame);
    }
    if (found == UNUSUAL && frame.reader->merged != 0 && !frame.reader->left && leave(frame.reader) < 0)
        found = FAULT;
    if (found == PLAIN)
        return give_made(&frame, found);
    give_made(&frame, found);
    return found == FAULT ? NULL : PyObject_CallFunctionObjArgs(frame.reader->python, given[0], given[1], NULL);
}

/* ---- the types */

/* Return room for so many things, at least one; NULL with an error where there is none. */
static void *make_room(Py_ssize_t count, size_t size)
{
    void *room = PyMem_Calloc((size_t)count + 1, size);
    if (room == NULL)
        PyErr_NoMemory();
    return room;
}

static int read_words(Step *step)
{
    int at;
    step->words = make_room(step->count, sizeof *step->words);
    if (step->words == NULL)
        return -1;
    for (at = 0; at < step->count; at++) {
        const char *word, *text;
        if (!PyArg_ParseTuple(PyTuple_GetItem(step->given, at), "y#z#", &word, &step->words[at][0].size, &text,
                              &step->words[at][1].size))
            return -1;
        step->words[at][0].start = word;
        step->words[at][1].start = text;
    }
    return 0;
}

static int read_parts(Step *step)
{
    int at;
    step->parts = make_room(step->count, sizeof *step->parts);
    if (step->parts == NULL)
        return -1;
    for (at = 0; at < step->count; at++) {
        int *part = step->parts[at];
        if (!PyArg_ParseTuple(PyTuple_GetItem(step->given, at), "ii", &part[0], &part[1]))
            return -1;
        if (part[0] < PART_FIELD || part[0] > PART_FIGURES || part[1] < -1 || part[1] >= MOST_FIELDS ||
            (part[1] < 0 && (part[0] == PART_FIELD || part[0] == PART_FIGURES))) {
            PyErr_SetString(PyExc_ValueError, "a part that is none");
            return -1;
        }
    }
    return 0;
}

static int read_step(Step *step, PyObject *given, const Writer *writer)
{
    int kind;
    Py_ssize_t at, count;
    long long scale;
    if (!PyArg_ParseTuple(given, "iiiiiiLO!", &kind, &step->place, &step->field, &step->optional, &step->form,
                          &step->beside, &scale, &PyTuple_Type, &step->given))
        return -1;
    step->kind = (Kind)kind;
    step->scale = scale;
    count = PyTuple_Size(step->given);
    for (at = 0; at < count && PyTuple_Check(PyTuple_GetItem(step->given, at)); at++)
        continue;
    if (at < count || kind < 0 || kind >= KINDS || step->place < -1 || step->place == 2 ||
        step->place >= writer->count || step->field < 0 || step->field >= MOST_FIELDS || step->beside < -1 ||
        step->beside >= MOST_FIELDS || scale < 1 || scale > 1000000000 || count > MOST_PARTS ||
        (kind == MAKE_ID && step->place != 0)) {
        PyErr_SetString(PyExc_ValueError, "a step that is none");
        return -1;
    }
    step->count = (int)count;
    if (kind == MAKE_COINS && scale == 2 && step->beside < 0) {
        PyErr_SetString(PyExc_ValueError, "coins of no price");
        return -1;
    }
    if (kind == MAKE_ID)
        return read_parts(step);
    return kind == MAKE_CHOICE || kind == MAKE_COINS ? read_words(step) : 0;
}

static int read_event(Event *event, PyObject *given, const Types *types)
{
    PyObject *writer, *steps;
    const char *prefix;
    Py_ssize_t at, count;
    unsigned int needed;
    if (!PyArg_ParseTuple(given, "O!y#IO!", types->writer, &writer, &prefix, &event->prefix.size, &needed,
                          &PyTuple_Type, &steps))
        return -1;
    event->needed = needed;
    event->writer = (Writer *)writer;
    event->prefix.start = prefix;
    count = PyTuple_Size(steps);
    if (count > MOST_STEPS) {
        PyErr_SetString(PyExc_ValueError, "an event that is none");
        return -1;
    }
    event->steps = make_room(count, sizeof(Step));
    if (event->steps == NULL)
        return -1;
    for (at = 0; at < count; at++) {
        PyObject *step = PyTuple_GetItem(steps, at);
        if (!PyTuple_Check(step)) {
            PyErr_SetString(PyExc_TypeError, "a step is a tuple");
            return -1;
        }
        event->count++;
        if (read_step(&event->steps[at], step, event->writer) < 0)
            return -1;
    }
    return 0;
}

/* The arguments are tuples of tuples, and nothing else refers to their insides: they stay while `given` does. */
static PyObject *plan_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Types *types = PyType_GetModuleState(type);
    PyObject *given;
    Plan *plan;
    Py_ssize_t at, count;
    if (types == NULL || !PyArg_ParseTuple(args, "O!:Plan", &PyTuple_Type, &given))
        return NULL;
    count = PyTuple_Size(given);
    if (count < 1 || count > MOST_EVENTS)
        return PyErr_Format(PyExc_ValueError, "%zd events", count);
    plan = (Plan *)allocate(type, 0);
    if (plan == NULL)
        return NULL;
    Py_INCREF(plan->given = given);
    plan->events = make_room(count, sizeof(Event));
    for (at = 0; !PyErr_Occurred() && at < count; at++) {
        PyObject *event = PyTuple_GetItem(given, at);
        plan->count++; /* what was begun is to be freed */
        if (!PyTuple_Check(event))
            PyErr_SetString(PyExc_TypeError, "an event is a tuple");
        else
            read_event(&plan->events[at], event, types);
    }
    if (PyErr_Occurred())
        Py_CLEAR(plan);
    return (PyObject *)plan;
}

static int read_key(Reader *reader, Key *key, PyObject *given, Py_ssize_t nodes)
{
    const char *name;
    int target;
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a key is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(given, "y#ii", &name, &key->name.size, &target, &key->index))
        return -1;
    key->name.start = name;
    key->target = (Target)target;
    if (target < FIELD || target > ONLY || key->index < 0 || key->index >= (target == FIELD ? reader->fields : nodes)) {
        PyErr_SetString(PyExc_ValueError, "a key that is none");
        return -1;
    }
    return 0;
}

static int read_nodes(Reader *reader)
{
    Py_ssize_t at, place, count = PyTuple_Size(reader->names);
    if (count < 1 || count > MOST_NODES) {
        PyErr_SetString(PyExc_ValueError, "too many nodes, or none");
        return -1;
    }
    for (at = 0; at < count; at++) {
        PyObject *keys = PyTuple_GetItem(reader->names, at);
        Py_ssize_t size = PyTuple_Check(keys) ? PyTuple_Size(keys) : 0;
        if (size < 1 || size > MOST_KEYS) {
            PyErr_SetString(PyExc_ValueError, "too many keys, or none");
            return -1;
        }
        reader->nodes[at].keys = make_room(size, sizeof(Key));
        if (reader->nodes[at].keys == NULL)
            return -1;
        for (place = 0; place < size; place++, reader->nodes[at].count++)
            if (read_key(reader, &reader->nodes[at].keys[place], PyTuple_GetItem(keys, place), count) < 0)
                return -1;
    }
    return 0;
}

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *python, *find, *crc32, *names, *restore;
    int outer, fields, owner, merge_by;
    unsigned int merged;
    Reader *reader;
    if (!PyArg_ParseTuple(args, "OOOO!iii(OiI):Reader", &python, &find, &crc32, &PyTuple_Type, &names, &outer, &fields,
                          &owner, &restore, &merge_by, &merged))
        return NULL;
    if (fields < 1 || fields > MOST_FIELDS || outer < 0 || outer > fields || owner < -1 || owner >= fields ||
        merge_by < 0 || merge_by >= fields || (merged != 0 && outer < fields))
        return PyErr_Format(PyExc_ValueError, "%d fields, %d of the frame", fields, outer);
    reader = (Reader *)allocate(type, 0);
    if (reader == NULL)
        return NULL;
    Py_INCREF(reader->python = python);
    Py_INCREF(reader->find = find);
    Py_INCREF(reader->crc32 = crc32);
    Py_INCREF(reader->names = names);
    reader->plans = PyDict_New();
    reader->outer = outer;
    reader->fields = fields;
    reader->owner = owner;
    Py_INCREF(reader->restore = restore);
    reader->merged = merged;
    reader->type = merge_by;
    if (reader->plans == NULL || read_nodes(reader) < 0)
        Py_CLEAR(reader);
    return (PyObject *)reader;
}

static int plan_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Plan *)self)->given);
    return 0;
}

static void plan_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    Plan *plan = (Plan *)self;
    Py_ssize_t at;
    PyObject_GC_UnTrack(self);
    for (at = 0; at < plan->count; at++) {
        Event *event = &plan->events[at];
        for (; event->count > 0; event->count--) {
            PyMem_Free(event->steps[event->count - 1].words);
            PyMem_Free(event->steps[event->count - 1].parts);
        }
        PyMem_Free(event->steps);
    }
    PyMem_Free(plan->events);
    Py_CLEAR(plan->given);
    release(self);
    Py_DECREF(type);
}

static int reader_traverse(PyObject *self, visitproc visit, void *arg)
{
    Reader *reader = (Reader *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(reader->python);
    Py_VISIT(reader->find);
    Py_VISIT(reader->crc32);
    Py_VISIT(reader->restore);
    Py_VISIT(reader->plans);
    Py_VISIT(reader->names);
    return 0;
}

static int reader_clear(PyObject *self)
{
    Reader *reader = (Reader *)self;
    Py_CLEAR(reader->python);
    Py_CLEAR(reader->find);
    Py_CLEAR(reader->crc32);
    int at;
    for (at = 0; at < MOST_FIELDS; at++)
        Py_CLEAR(reader->kept[at]);
    Py_CLEAR(reader->restore);
    reader->last_plan = NULL;
    Py_CLEAR(reader->last_name);
    Py_CLEAR(reader->plans);
    return 0;
}

static void reader_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    int at;
    PyObject_GC_UnTrack(self);
    reader_clear(self);
    for (at = 0; at < MOST_NODES; at++)
        PyMem_Free(((Reader *)self)->nodes[at].keys);
    Py_CLEAR(((Reader *)self)->names);
    release(self);
    Py_DECREF(type);
}

static PyMethodDef READER_METHODS[] = {
    {"read", (PyCFunction)(void (*)(void))reader_read, METH_FASTCALL, "Return the messages of a frame."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot READER_SLOTS[] = {
    {Py_tp_doc, "Reads the plain frames of a channel, and gives all others to the venue's decoder."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {Py_tp_methods, READER_METHODS},
    {0, NULL},
};

static PyType_Spec READER_SPEC = {
    .name = "producers.normalize.compiled.writing.Reader",
    .basicsize = sizeof(Reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = READER_SLOTS,
};

/* Without tp_clear: a plan's tuples cannot be part of a cycle that only it closes. */
static PyType_Slot PLAN_SLOTS[] = {
    {Py_tp_doc, "What an instrument's events are made of."},
    {Py_tp_new, plan_new},
    {Py_tp_dealloc, plan_dealloc},
    {Py_tp_traverse, plan_traverse},
    {0, NULL},
};

static PyType_Spec PLAN_SPEC = {
    .name = "producers.normalize.compiled.writing.Plan",
    .basicsize = sizeof(Plan),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = PLAN_SLOTS,
};
