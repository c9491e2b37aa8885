#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The part of MPI that dicerank uses, without `mpi.h` and without linking an MPI library.
//
// The library is opened at run time by `cmpi_open`; all that needs it may be called only after that.
// Handles are opaque words, wide enough for Open MPI's pointers and MPICH's integers. Functions named after
// an MPI one return its status: `cmpi_success`, or a code for `cmpi_error_text`.

typedef uintptr_t cmpi_comm;
typedef uintptr_t cmpi_request;

enum { cmpi_success = 0 };

typedef enum cmpi_type {
    cmpi_type_byte,
    cmpi_type_int64,
    cmpi_type_float,
    cmpi_type_double,
} cmpi_type;

typedef enum cmpi_operation {
    cmpi_operation_sum,
    cmpi_operation_min,
    cmpi_operation_max,
} cmpi_operation;

typedef enum cmpi_threads {
    cmpi_threads_single,
    cmpi_threads_funneled,
    cmpi_threads_serialized,
    cmpi_threads_multiple,
} cmpi_threads;

/// The MPI implementation whose `mpi.h` this was compiled with: "Open MPI" or "MPICH".
const char *cmpi_implementation(void);

/// Sonames under which that implementation is usually found, in the order to try; NULL past the last one.
const char *cmpi_library_name(int index);

/// Opens the library `name` (a soname or a path) and looks up every function; on failure, `message` says why.
bool cmpi_open(const char *name, char *message, size_t capacity);

/// The file that the opened library came from.
const char *cmpi_library_path(void);

/// Text of `MPI_Get_library_version`; may be called before `cmpi_init`.
void cmpi_library_version(char *text, size_t capacity);

/// `MPI_Init_thread`, asking for "serialized"; errors of the world communicator are returned from then on.
int cmpi_init(cmpi_threads *provided);
bool cmpi_is_initialized(void);
int cmpi_finalize(void);
int cmpi_abort(int exit_code);
void cmpi_error_text(int code, char *text, size_t capacity);

cmpi_comm cmpi_comm_world(void);
int cmpi_comm_rank(cmpi_comm comm, int *rank);
int cmpi_comm_size(cmpi_comm comm, int *size);
int cmpi_comm_dup(cmpi_comm comm, cmpi_comm *copy);
/// The ranks that give the same color, at least 0, in the order of their keys.
int cmpi_comm_split(cmpi_comm comm, int color, int key, cmpi_comm *group);
/// `MPI_Comm_split_type` with `MPI_COMM_TYPE_SHARED`: the ranks of one node, in the order of `comm`.
int cmpi_comm_split_shared(cmpi_comm comm, cmpi_comm *node);
int cmpi_comm_free(cmpi_comm *comm);

/// All-reduces are in place.
int cmpi_allreduce(void *buffer, int count, cmpi_type type, cmpi_operation operation, cmpi_comm comm);
int cmpi_iallreduce(
    void *buffer, int count, cmpi_type type, cmpi_operation operation, cmpi_comm comm, cmpi_request *request);
/// `count` elements from each rank.
int cmpi_allgather(const void *local, int count, cmpi_type type, void *all, cmpi_comm comm);
int cmpi_iallgather(
    const void *local, int count, cmpi_type type, void *all, cmpi_comm comm, cmpi_request *request);
/// `count` elements to and from each rank.
int cmpi_ialltoall(
    const void *sent, int count, cmpi_type type, void *received, cmpi_comm comm, cmpi_request *request);
int cmpi_bcast(void *bytes, int count, int root, cmpi_comm comm);
int cmpi_barrier(cmpi_comm comm);

int cmpi_send(const void *bytes, int count, int to, int tag, cmpi_comm comm);
int cmpi_recv(void *bytes, int count, int from, int tag, cmpi_comm comm);
int cmpi_sendrecv(const void *sent, int to, void *received, int from, int count, int tag, cmpi_comm comm);

int cmpi_test(cmpi_request *request, bool *complete);
int cmpi_wait(cmpi_request *request);
