/* Finds the wanted values of a JSON text, and reads numbers and times. No Python here.
 *
 * Strict on purpose: what is not plainly said (an escape, a letter beyond ASCII, a key twice, a number with an exponent
 * where one is wanted) is UNUSUAL, and left to the Python decoder of the venue, which says what becomes of it. A text
 * ends with a NUL byte, which no value has, so that nothing is read beyond it.
 */
#include <stdint.h>
#include <string.h>

#define MOST_NODES 8
#define MOST_KEYS 32
#define MOST_FIELDS 32
#define MOST_DEPTH 32
#define MOST_WHOLE_DIGITS 24 /* as in contracts/numbers.py */
#define MOST_FRACTION_DIGITS 36

typedef enum { FAULT = -1, UNUSUAL, PLAIN } Reading;

typedef struct {
    const char *start;
    Py_ssize_t size;
} Piece;

typedef enum { ABSENT = 0, TEXT = 's', NUMBER = 'n', FLAG = 'b', NOTHING = 'z', NESTED = '{' } Form;

typedef struct {
    Piece text; /* of a text what stands between its quotation marks */
    Form form;
} Token;

typedef enum { FIELD, OBJECT, ROWS, ONLY } Target; /* `ONLY`: the one row of a list */

typedef struct {
    Piece name;
    Target target;
    int index; /* of the field, or of the node */
} Key;

/* The keys that are wanted of an object. */
typedef struct {
    Key *keys;
    int count;
} Node;

typedef struct Scan Scan;

struct Scan {
    const char *at;
    const Node *nodes;
    Token *tokens;
    int outer;      /* so many fields are of the frame, and those behind them of its rows */
    int fields;
    int rows;       /* rows that were taken */
    int depth;
    uint32_t seen;  /* which objects are there, by their nodes */
    Reading (*take)(Scan *); /* called behind each row */
};

static void skip_space(Scan *scan)
{
    while (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')
        scan->at++;
}

/* Go over a character that must be there. */
static Reading expect(Scan *scan, char wanted)
{
    if (*scan->at != wanted)
        return UNUSUAL;
    scan->at++;
    return PLAIN;
}

/* Characters that a text may have as they are: printable ASCII, but for a quotation mark and a backslash. */
static const char IS_PLAIN[256] = {
    [' '] = 1, ['!'] = 1, ['#' ... '['] = 1, [']' ... '~'] = 1,
};

static Reading scan_text(Scan *scan, Piece *text)
{
    const char *at = scan->at + 1;
    text->start = at;
    while (IS_PLAIN[(unsigned char)*at])
        at++;
    text->size = at - text->start;
    scan->at = at;
    return expect(scan, '"');
}

static int skip_figures(const char **at)
{
    const char *start = *at;
    while (**at >= '0' && **at <= '9')
        ++*at;
    return *at > start;
}

static Reading scan_number(Scan *scan, Piece *text)
{
    const char *at = text->start = scan->at;
    at += *at == '-';
    if (*at == '0')
        at++;
    else if (!skip_figures(&at))
        return UNUSUAL;
    if (*at == '.' && (at++, !skip_figures(&at)))
        return UNUSUAL;
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        if (!skip_figures(&at))
            return UNUSUAL;
    }
    text->size = at - text->start;
    scan->at = at;
    return PLAIN;
}

static Reading scan_word(Scan *scan, Token *token, const char *word, Form form)
{
    token->text.start = scan->at;
    token->text.size = (Py_ssize_t)strlen(word);
    token->form = form;
    for (; *word; word++)
        if (expect(scan, *word) != PLAIN)
            return UNUSUAL;
    return PLAIN;
}

static Reading skip_nested(Scan *scan);

static Reading scan_value(Scan *scan, Token *token)
{
    switch (*scan->at) {
    case '"':
        token->form = TEXT;
        return scan_text(scan, &token->text);
    case '{':
    case '[':
        token->form = NESTED;
        return skip_nested(scan);
    case 't':
        return scan_word(scan, token, "true", FLAG);
    case 'f':
        return scan_word(scan, token, "false", FLAG);
    case 'n':
        return scan_word(scan, token, "null", NOTHING);
    default:
        token->form = NUMBER;
        return scan_number(scan, &token->text);
    }
}

static Reading scan_key(Scan *scan, Piece *name)
{
    if (*scan->at != '"' || scan_text(scan, name) != PLAIN)
        return UNUSUAL;
    skip_space(scan);
    if (expect(scan, ':') != PLAIN)
        return UNUSUAL;
    skip_space(scan);
    return PLAIN;
}

/* Go over what stands between two values: whether another one follows; -1 for what is no JSON. */
static int has_next(Scan *scan, char end)
{
    skip_space(scan);
    if (*scan->at == ',') {
        scan->at++;
        skip_space(scan);
        return 1;
    }
    return expect(scan, end) == PLAIN ? 0 : -1;
}

static Reading skip_nested(Scan *scan)
{
    char end = *scan->at == '{' ? '}' : ']';
    Token token;
    int more;
    if (++scan->depth > MOST_DEPTH)
        return UNUSUAL;
    scan->at++;
    skip_space(scan);
    for (more = *scan->at == end ? (scan->at++, 0) : 1; more > 0; more = has_next(scan, end))
        if ((end == '}' && scan_key(scan, &token.text) != PLAIN) || scan_value(scan, &token) != PLAIN)
            return UNUSUAL;
    scan->depth--;
    return more == 0 ? PLAIN : UNUSUAL;
}

static const Key *find_key(const Node *node, const Piece *name, int *hint)
{
    int tried, at = *hint;
    for (tried = 0; tried < node->count; tried++, at = at + 1 == node->count ? 0 : at + 1) {
        const Key *key = &node->keys[at];
        if (key->name.size == name->size && memcmp(key->name.start, name->start, (size_t)name->size) == 0) {
            *hint = at + 1 == node->count ? 0 : at + 1;
            return key;
        }
    }
    return NULL;
}

static Reading scan_rows(Scan *scan, const Node *node);
static Reading scan_object(Scan *scan, const Node *node);

/* Read the object of a list of one. */
static Reading scan_only(Scan *scan, const Node *node)
{
    Reading found;
    if (expect(scan, '[') != PLAIN)
        return UNUSUAL;
    skip_space(scan);
    found = *scan->at == '{' ? scan_object(scan, node) : UNUSUAL;
    if (found != PLAIN)
        return found;
    skip_space(scan);
    return expect(scan, ']');
}

static Reading scan_wanted(Scan *scan, const Key *key)
{
    Token *token = &scan->tokens[key->index];
    switch (key->target) {
    case OBJECT:
    case ONLY:
        if ((scan->seen >> key->index & 1) != 0)
            return UNUSUAL;
        scan->seen |= (uint32_t)1 << key->index;
        if (key->target == ONLY)
            return scan_only(scan, &scan->nodes[key->index]);
        return *scan->at == '{' ? scan_object(scan, &scan->nodes[key->index]) : UNUSUAL;
    case ROWS:
        return *scan->at == '[' ? scan_rows(scan, &scan->nodes[key->index]) : UNUSUAL;
    default:
        if (token->form != ABSENT || (scan->rows > 0 && key->index < scan->outer))
            return UNUSUAL; /* it is there twice, or rows were taken without it */
        return scan_value(scan, token);
    }
}

static Reading scan_object(Scan *scan, const Node *node)
{
    Token other;
    Piece name;
    int hint = 0, more;
    if (++scan->depth > MOST_DEPTH)
        return UNUSUAL;
    scan->at++;
    skip_space(scan);
    for (more = *scan->at == '}' ? (scan->at++, 0) : 1; more > 0; more = has_next(scan, '}')) {
        const Key *key;
        if (scan_key(scan, &name) != PLAIN)
            return UNUSUAL;
        key = find_key(node, &name, &hint);
        Reading found = key == NULL ? scan_value(scan, &other) : scan_wanted(scan, key);
        if (found != PLAIN)
            return found;
    }
    scan->depth--;
    return more == 0 ? PLAIN : UNUSUAL;
}

static Reading scan_rows(Scan *scan, const Node *node)
{
    uint32_t seen = scan->seen;
    int more;
    if (scan->rows > 0)
        return UNUSUAL; /* they are there twice */
    scan->at++;
    skip_space(scan);
    for (more = *scan->at == ']' ? (scan->at++, 0) : 1; more > 0; more = has_next(scan, ']')) {
        Reading found;
        scan->seen = seen;
        memset(scan->tokens + scan->outer, 0, (size_t)(scan->fields - scan->outer) * sizeof(Token));
        found = *scan->at == '{' ? scan_object(scan, node) : UNUSUAL;
        scan->rows++;
        if (found == PLAIN)
            found = scan->take(scan);
        if (found != PLAIN)
            return found;
    }
    return more == 0 ? PLAIN : UNUSUAL;
}

/* Read a whole text; rows, where there are some, are taken one by one, and a text without rows at its end. */
static Reading scan_frame(Scan *scan)
{
    Reading found;
    skip_space(scan);
    found = *scan->at == '{' ? scan_object(scan, &scan->nodes[0]) : UNUSUAL;
    if (found != PLAIN)
        return found;
    skip_space(scan);
    return *scan->at == '\0' ? PLAIN : UNUSUAL;
}

/* ---- numbers and times */

typedef enum { NO_NUMBER, ZERO, POSITIVE } Size;

static Size read_size(const Piece *text)
{
    const char *at = text->start, *end = at + text->size, *point = NULL;
    int above = 0;
    for (; at < end; at++) {
        if (*at == '.' && point == NULL)
            point = at;
        else if (*at < '0' || *at > '9')
            return NO_NUMBER;
        else
            above |= *at != '0';
    }
    at = point == NULL ? end : point;
    if (at == text->start || at - text->start > MOST_WHOLE_DIGITS || (*text->start == '0' && at - text->start > 1))
        return NO_NUMBER;
    if (point != NULL && (end - point < 2 || end - point > MOST_FRACTION_DIGITS + 1))
        return NO_NUMBER;
    return above ? POSITIVE : ZERO;
}

/* Read figures only, at least one and at most 18, so that the number fits. */
static Reading read_figures(const char *at, Py_ssize_t size, int64_t *number)
{
    const char *end = at + size;
    if (size < 1 || size > 18)
        return UNUSUAL;
    for (*number = 0; at < end; at++) {
        if (*at < '0' || *at > '9')
            return UNUSUAL;
        *number = *number * 10 + (*at - '0');
    }
    return PLAIN;
}

/* Read at most nine digits behind the point as ns of a second, or at most six as ns of a millisecond. */
static Reading read_fraction(const char *at, Py_ssize_t size, Py_ssize_t places, int64_t *ns)
{
    if (size > places || read_figures(at, size, ns) != PLAIN)
        return UNUSUAL;
    for (; size < places; size++)
        *ns *= 10;
    return PLAIN;
}

/* ---- numbers that are made of others */

#define MOST_WRITTEN 64
typedef unsigned __int128 Wide;

/* Digits without the point, and how many stood behind it. */
typedef struct {
    Wide digits;
    int scale;
} Exact;

/* Read a number that was checked before, of at most 18 digits. */
static Reading read_exact(const Piece *text, Exact *number)
{
    const char *at = text->start, *end = at + text->size;
    int behind = 0;
    number->digits = 0;
    number->scale = 0;
    if (text->size > 19)
        return UNUSUAL;
    for (; at < end; at++) {
        if (*at == '.') {
            behind = 1;
            continue;
        }
        if (*at < '0' || *at > '9')
            return UNUSUAL;
        number->digits = number->digits * 10 + (Wide)(*at - '0');
        number->scale += behind;
    }
    return PLAIN;
}

/* Write a number at the end of `room`, of which `text` is then a part. */
static void write_exact(const Exact *number, char room[MOST_WRITTEN], Piece *text)
{
    char *end = room + MOST_WRITTEN, *at = end;
    Wide rest = number->digits;
    int written = 0;
    for (; rest > 0 || written <= number->scale; rest /= 10) {
        if (written++ == number->scale && number->scale > 0)
            *--at = '.';
        *--at = (char)('0' + (int)(rest % 10));
    }
    text->start = at;
    text->size = end - at;
}

static Reading widen(Wide *digits, int places)
{
    for (; places > 0; places--)
        if (__builtin_mul_overflow(*digits, (Wide)10, digits))
            return UNUSUAL;
    return PLAIN;
}

static void drop_zeros(Exact *number)
{
    for (; number->scale > 0 && number->digits % 10 == 0; number->scale--)
        number->digits /= 10;
}

/* How many coins a size in contracts is, as producers/normalize/sizes.py says: contracts of so much each, exactly, or
 * of so much of the quote at a price, rounded half even to twelve decimals.
 */
static Reading count_coins(const Piece *size, const Piece *unit, const Piece *price, Exact *coins)
{
    Exact contracts, worth, divisor;
    int places;
    Wide rest;
    if (read_exact(size, &contracts) != PLAIN || read_exact(unit, &worth) != PLAIN ||
        __builtin_mul_overflow(contracts.digits, worth.digits, &coins->digits))
        return UNUSUAL;
    coins->scale = contracts.scale + worth.scale;
    if (price != NULL && coins->digits > 0) {
        if (read_exact(price, &divisor) != PLAIN || divisor.digits == 0)
            return UNUSUAL;
        places = 12 + divisor.scale - coins->scale;
        if (widen(&coins->digits, places) != PLAIN || widen(&divisor.digits, -places) != PLAIN)
            return UNUSUAL;
        rest = coins->digits % divisor.digits;
        coins->digits /= divisor.digits;
        coins->scale = 12;
        if (rest > divisor.digits - rest || (rest == divisor.digits - rest && coins->digits % 2 == 1))
            coins->digits++;
    }
    drop_zeros(coins);
    return coins->scale <= MOST_FRACTION_DIGITS ? PLAIN : UNUSUAL;
}

/* Write a number that has a negative exponent without it, keeping its digits: 9.40e-07 is 0.000000940. */
static Reading expand(const Piece *text, char room[MOST_WRITTEN], Piece *written)
{
    const char *mark = text->start, *end = text->start + text->size;
    Piece plain = {.start = text->start};
    Exact number;
    int64_t places;
    while (mark < end && *mark != 'e' && *mark != 'E')
        mark++;
    plain.size = mark - text->start;
    if (mark == end || mark[1] != '-' || read_figures(mark + 2, end - mark - 2, &places) != PLAIN ||
        plain.size == 0 || read_exact(&plain, &number) != PLAIN ||
        places > MOST_FRACTION_DIGITS - number.scale)
        return UNUSUAL;
    number.scale += (int)places;
    write_exact(&number, room, written);
    return PLAIN;
}

/* Write a fraction as percent, without zeros at its end. */
static Reading count_percent(const Piece *fraction, char room[MOST_WRITTEN], Piece *written)
{
    int below = fraction->size > 0 && *fraction->start == '-';
    Piece plain = {.start = fraction->start + below, .size = fraction->size - below};
    Exact number;
    if (read_exact(&plain, &number) != PLAIN || (below && number.digits == 0))
        return UNUSUAL;
    if (widen(&number.digits, 2 - number.scale) != PLAIN)
        return UNUSUAL;
    number.scale = number.scale > 2 ? number.scale - 2 : 0;
    drop_zeros(&number);
    write_exact(&number, room, written);
    if (below) {
        *(char *)--written->start = '-'; /* there is room before it */
        written->size++;
    }
    return PLAIN;
}

/* ---- dates */

static int days_of(int64_t year, int64_t month)
{
    static const char DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return DAYS[month - 1] + (month == 2 && leap);
}

/* Days from 1970 on, of a date that there is. */
static int64_t days_until(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Read 2026-11-21T20:00:00Z, with at most nine digits behind the second, as ns from 1970 on. */
static Reading read_date(const Piece *text, int64_t *ns)
{
    static const char SHAPE[] = "0000-00-00T00:00:00";
    static const char AT[] = {0, 5, 8, 11, 14, 17};
    const char *start = text->start, *rest = start + 19, *end = start + text->size - 1;
    int64_t part[6], fraction = 0;
    int at;
    if (text->size < 20 || *end != 'Z')
        return UNUSUAL;
    for (at = 4; at < 19; at++)
        if (SHAPE[at] != '0' && start[at] != SHAPE[at])
            return UNUSUAL;
    for (at = 0; at < 6; at++)
        if (read_figures(start + AT[at], at == 0 ? 4 : 2, &part[at]) != PLAIN)
            return UNUSUAL;
    if (part[0] < 1970 || part[0] > 2250 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
        part[2] > days_of(part[0], part[1]) || part[3] > 23 || part[4] > 59 || part[5] > 59)
        return UNUSUAL;
    if (rest < end && (*rest != '.' || read_fraction(rest + 1, end - rest - 1, 9, &fraction) != PLAIN))
        return UNUSUAL;
    *ns = ((days_until(part[0], part[1], part[2]) * 24 + part[3]) * 60 + part[4]) * 60 + part[5];
    *ns = *ns * 1000000000 + fraction;
    return PLAIN;
}
