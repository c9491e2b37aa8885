#include "parallel.h"

// libgomp's entry points; the compiler that ships with Swift has no omp.h.
extern void GOMP_parallel(void (*function)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern void omp_set_num_threads(int);

struct region {
    dr_body body;
    void *context;
};

static void enter(void *data) {
    const struct region *region = data;
    region->body(region->context, omp_get_thread_num(), omp_get_num_threads());
}

void dr_parallel(int threads, dr_body body, void *context) {
    if (threads <= 1) {
        body(context, 0, 1);
        return;
    }
    struct region region = {body, context};
    GOMP_parallel(enter, &region, (unsigned)threads, 0);
}

void dr_set_threads(int threads) { omp_set_num_threads(threads); }
