/* Callgrind's client requests for worker.py: start counting, and write what was counted since the last time. */
#include <valgrind/callgrind.h>

void start(void) {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

void dump(void) {
    CALLGRIND_DUMP_STATS;
}
