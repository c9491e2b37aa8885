#define _GNU_SOURCE
#include "CMPI.h"

#include <dlfcn.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(MPI_Comm) <= sizeof(cmpi_comm), "a communicator handle fits a word");
_Static_assert(sizeof(MPI_Request) <= sizeof(cmpi_request), "a request handle fits a word");
_Static_assert(MPI_SUCCESS == cmpi_success, "success is zero");

#define FUNCTIONS(X)                                                                                        \
    X(Init_thread) X(Initialized) X(Finalize) X(Abort) X(Error_string) X(Get_library_version)               \
    X(Comm_set_errhandler) X(Comm_rank) X(Comm_size) X(Comm_dup) X(Comm_split) X(Comm_split_type)           \
    X(Comm_free) X(Allreduce) X(Iallreduce) X(Allgather) X(Iallgather) X(Ialltoall) X(Bcast) X(Barrier)     \
    X(Send) X(Recv) X(Sendrecv) X(Test) X(Wait)

static struct {
#define X(name) __typeof__(MPI_##name) *name;
    FUNCTIONS(X)
#undef X
} mpi;

// Open MPI's predefined handles are addresses of objects in the library; elsewhere they are constants.
#ifdef OPEN_MPI
#define HANDLES(X)                                                                                          \
    X(MPI_Comm, COMM_WORLD, "ompi_mpi_comm_world")                                                          \
    X(MPI_Errhandler, ERRORS_RETURN, "ompi_mpi_errors_return")                                              \
    X(MPI_Info, INFO_NULL, "ompi_mpi_info_null")                                                            \
    X(MPI_Datatype, BYTE, "ompi_mpi_byte")                                                                  \
    X(MPI_Datatype, INT64_T, "ompi_mpi_int64_t")                                                            \
    X(MPI_Datatype, FLOAT, "ompi_mpi_float")                                                                \
    X(MPI_Datatype, DOUBLE, "ompi_mpi_double")                                                              \
    X(MPI_Op, SUM, "ompi_mpi_op_sum")                                                                       \
    X(MPI_Op, MIN, "ompi_mpi_op_min")                                                                       \
    X(MPI_Op, MAX, "ompi_mpi_op_max")

static struct {
#define X(type, name, symbol) type name;
    HANDLES(X)
#undef X
} handles;

#define HANDLE(name) (handles.name)
#define IMPLEMENTATION "Open MPI"
static const char *const library_names[] = {"libmpi.so.40", "libmpi.so", NULL};
#else
#define HANDLE(name) MPI_##name
#define IMPLEMENTATION "MPICH"
// Debian and Ubuntu rename MPICH's library.
static const char *const library_names[] = {"libmpi.so.12", "libmpich.so.12", "libmpi.so", NULL};
#endif

const char *cmpi_implementation(void) { return IMPLEMENTATION; }

const char *cmpi_library_name(int index) {
    int count = sizeof library_names / sizeof library_names[0] - 1;
    return index >= 0 && index < count ? library_names[index] : NULL;
}

static bool look_up(void *library, const char *symbol, void *slot, char *message, size_t capacity) {
    void *address = dlsym(library, symbol);
    if (address == NULL) {
        snprintf(message, capacity, "it has no %s, so it is not a usable %s", symbol, IMPLEMENTATION);
        return false;
    }
    memcpy(slot, &address, sizeof address);
    return true;
}

bool cmpi_open(const char *name, char *message, size_t capacity) {
    // Global, because the plugins of Open MPI expect its symbols to be visible.
    void *library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(message, capacity, "%s", reason == NULL ? "unknown reason" : reason);
        return false;
    }
#ifndef OPEN_MPI
    if (dlsym(library, "ompi_mpi_comm_world") != NULL) {
        snprintf(message, capacity, "it is Open MPI, but this program was built with %s", IMPLEMENTATION);
        return false;
    }
#endif
#define X(name)                                                                                             \
    if (!look_up(library, "MPI_" #name, &mpi.name, message, capacity)) return false;
    FUNCTIONS(X)
#undef X
#ifdef OPEN_MPI
#define X(type, name, symbol)                                                                               \
    if (!look_up(library, symbol, &handles.name, message, capacity)) return false;
    HANDLES(X)
#undef X
#endif
    return true;
}

const char *cmpi_library_path(void) {
    Dl_info info;
    if (dladdr((void *)mpi.Init_thread, &info) == 0 || info.dli_fname == NULL) return "unknown";
    return info.dli_fname;
}

void cmpi_library_version(char *text, size_t capacity) {
    char full[MPI_MAX_LIBRARY_VERSION_STRING + 1] = "";
    int length = 0;
    mpi.Get_library_version(full, &length);
    snprintf(text, capacity, "%s", full);
}

// MARK: Handles

static MPI_Comm comm_of(cmpi_comm word) {
    MPI_Comm comm;
    memcpy(&comm, &word, sizeof comm);
    return comm;
}

static cmpi_comm word_of_comm(MPI_Comm comm) {
    cmpi_comm word = 0;
    memcpy(&word, &comm, sizeof comm);
    return word;
}

static MPI_Request request_of(cmpi_request word) {
    MPI_Request request;
    memcpy(&request, &word, sizeof request);
    return request;
}

static cmpi_request word_of_request(MPI_Request request) {
    cmpi_request word = 0;
    memcpy(&word, &request, sizeof request);
    return word;
}

static MPI_Datatype type_of(cmpi_type type) {
    switch (type) {
    case cmpi_type_byte: return HANDLE(BYTE);
    case cmpi_type_int64: return HANDLE(INT64_T);
    case cmpi_type_float: return HANDLE(FLOAT);
    case cmpi_type_double: return HANDLE(DOUBLE);
    }
    __builtin_unreachable();
}

static MPI_Op operation_of(cmpi_operation operation) {
    switch (operation) {
    case cmpi_operation_sum: return HANDLE(SUM);
    case cmpi_operation_min: return HANDLE(MIN);
    case cmpi_operation_max: return HANDLE(MAX);
    }
    __builtin_unreachable();
}

// MARK: Environment

int cmpi_init(cmpi_threads *provided) {
    int level = MPI_THREAD_SINGLE;
    int status = mpi.Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    if (status != MPI_SUCCESS) return status;
    *provided = level >= MPI_THREAD_MULTIPLE     ? cmpi_threads_multiple
                : level >= MPI_THREAD_SERIALIZED ? cmpi_threads_serialized
                : level >= MPI_THREAD_FUNNELED   ? cmpi_threads_funneled
                                                 : cmpi_threads_single;
    return mpi.Comm_set_errhandler(HANDLE(COMM_WORLD), HANDLE(ERRORS_RETURN));
}

bool cmpi_is_initialized(void) {
    int flag = 0;
    mpi.Initialized(&flag);
    return flag != 0;
}

int cmpi_finalize(void) { return mpi.Finalize(); }

int cmpi_abort(int exit_code) { return mpi.Abort(HANDLE(COMM_WORLD), exit_code); }

void cmpi_error_text(int code, char *text, size_t capacity) {
    char full[MPI_MAX_ERROR_STRING + 1] = "";
    int length = 0;
    if (!cmpi_is_initialized() || mpi.Error_string(code, full, &length) != MPI_SUCCESS || full[0] == 0) {
        snprintf(text, capacity, "unknown MPI error");
        return;
    }
    snprintf(text, capacity, "%s", full);
}

// MARK: Communicators

cmpi_comm cmpi_comm_world(void) { return word_of_comm(HANDLE(COMM_WORLD)); }

int cmpi_comm_rank(cmpi_comm comm, int *rank) { return mpi.Comm_rank(comm_of(comm), rank); }

int cmpi_comm_size(cmpi_comm comm, int *size) { return mpi.Comm_size(comm_of(comm), size); }

int cmpi_comm_dup(cmpi_comm comm, cmpi_comm *copy) {
    MPI_Comm result;
    int status = mpi.Comm_dup(comm_of(comm), &result);
    if (status == MPI_SUCCESS) *copy = word_of_comm(result);
    return status;
}

int cmpi_comm_split(cmpi_comm comm, int color, int key, cmpi_comm *group) {
    MPI_Comm result;
    int status = mpi.Comm_split(comm_of(comm), color, key, &result);
    if (status == MPI_SUCCESS) *group = word_of_comm(result);
    return status;
}

int cmpi_comm_split_shared(cmpi_comm comm, cmpi_comm *node) {
    MPI_Comm result;
    int status = mpi.Comm_split_type(comm_of(comm), MPI_COMM_TYPE_SHARED, 0, HANDLE(INFO_NULL), &result);
    if (status == MPI_SUCCESS) *node = word_of_comm(result);
    return status;
}

int cmpi_comm_free(cmpi_comm *comm) {
    MPI_Comm handle = comm_of(*comm);
    int status = mpi.Comm_free(&handle);
    *comm = word_of_comm(handle);
    return status;
}

// MARK: Collectives

int cmpi_allreduce(void *buffer, int count, cmpi_type type, cmpi_operation operation, cmpi_comm comm) {
    return mpi.Allreduce(MPI_IN_PLACE, buffer, count, type_of(type), operation_of(operation), comm_of(comm));
}

int cmpi_iallreduce(
    void *buffer, int count, cmpi_type type, cmpi_operation operation, cmpi_comm comm,
    cmpi_request *request) {
    MPI_Request handle;
    int status = mpi.Iallreduce(
        MPI_IN_PLACE, buffer, count, type_of(type), operation_of(operation), comm_of(comm), &handle);
    if (status == MPI_SUCCESS) *request = word_of_request(handle);
    return status;
}

int cmpi_allgather(const void *local, int count, cmpi_type type, void *all, cmpi_comm comm) {
    return mpi.Allgather(local, count, type_of(type), all, count, type_of(type), comm_of(comm));
}

int cmpi_iallgather(
    const void *local, int count, cmpi_type type, void *all, cmpi_comm comm, cmpi_request *request) {
    MPI_Request handle;
    int status =
        mpi.Iallgather(local, count, type_of(type), all, count, type_of(type), comm_of(comm), &handle);
    if (status == MPI_SUCCESS) *request = word_of_request(handle);
    return status;
}

int cmpi_ialltoall(
    const void *sent, int count, cmpi_type type, void *received, cmpi_comm comm, cmpi_request *request) {
    MPI_Request handle;
    int status =
        mpi.Ialltoall(sent, count, type_of(type), received, count, type_of(type), comm_of(comm), &handle);
    if (status == MPI_SUCCESS) *request = word_of_request(handle);
    return status;
}

int cmpi_bcast(void *bytes, int count, int root, cmpi_comm comm) {
    return mpi.Bcast(bytes, count, HANDLE(BYTE), root, comm_of(comm));
}

int cmpi_barrier(cmpi_comm comm) { return mpi.Barrier(comm_of(comm)); }

// MARK: Point to point

int cmpi_send(const void *bytes, int count, int to, int tag, cmpi_comm comm) {
    return mpi.Send(bytes, count, HANDLE(BYTE), to, tag, comm_of(comm));
}

int cmpi_recv(void *bytes, int count, int from, int tag, cmpi_comm comm) {
    return mpi.Recv(bytes, count, HANDLE(BYTE), from, tag, comm_of(comm), MPI_STATUS_IGNORE);
}

int cmpi_sendrecv(
    const void *sent, int to, void *received, int from, int count, int tag, cmpi_comm comm) {
    return mpi.Sendrecv(
        sent, count, HANDLE(BYTE), to, tag, received, count, HANDLE(BYTE), from, tag, comm_of(comm),
        MPI_STATUS_IGNORE);
}

// MARK: Requests

int cmpi_test(cmpi_request *request, bool *complete) {
    MPI_Request handle = request_of(*request);
    int flag = 0;
    int status = mpi.Test(&handle, &flag, MPI_STATUS_IGNORE);
    *request = word_of_request(handle);
    *complete = flag != 0;
    return status;
}

int cmpi_wait(cmpi_request *request) {
    MPI_Request handle = request_of(*request);
    int status = mpi.Wait(&handle, MPI_STATUS_IGNORE);
    *request = word_of_request(handle);
    return status;
}
