#pragma once
// Parallel loops on libgomp's pool, the one oneDNN uses too, so that the two never fight for cores.

typedef void (*dr_body)(void *context, int thread, int threads);

/// Runs `body` on `threads` threads of the calling thread's pool and returns when all are done.
void dr_parallel(int threads, dr_body body, void *context);

/// The number of threads that oneDNN takes from the pool for primitives made after this call.
void dr_set_threads(int threads);

/// The half-open share [*first, *last) of `count` items that thread `thread` of `threads` owns, always the same.
static inline void dr_share(long long count, int thread, int threads, long long *first, long long *last) {
    *first = count * thread / threads;
    *last = count * (thread + 1) / threads;
}
