#include "COneDNN.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<dnnl.h>)
#include <dnnl.h>
#else
#include <oneapi/dnnl/dnnl.h>
#endif

#define CHECK(call)                         \
    do {                                    \
        dnnl_status_t status_ = (call);     \
        if (status_ != dnnl_success) return status_; \
    } while (0)

// Memory descriptors are structures in 2.x and handles in 3.x; `descriptor` is what is owned, `view` what is passed.
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t descriptor;
typedef const_dnnl_memory_desc_t view;
static view view_of(const descriptor *d) { return *d; }
static void descriptor_destroy(descriptor *d) { if (*d) dnnl_memory_desc_destroy(*d); }
static dnnl_status_t descriptor_create(descriptor *d, const dnnl_dims_t dims, int count, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(d, count, dims, dnnl_f32, tag);
}
#else
typedef dnnl_memory_desc_t descriptor;
typedef const dnnl_memory_desc_t *view;
static view view_of(const descriptor *d) { return d; }
static void descriptor_destroy(descriptor *d) { (void)d; }
static dnnl_status_t descriptor_create(descriptor *d, const dnnl_dims_t dims, int count, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(d, count, dims, dnnl_f32, tag);
}
#endif

enum { SOURCE, WEIGHTS, BIAS, DESTINATION, TENSORS };

struct dnn_convolution {
    dnn_direction direction;
    dnnl_primitive_t primitive;
    const char *implementation;
    // The caller's tensors, and beside each that lies otherwise in the primitive: that tensor and the way to it.
    dnnl_memory_t user[TENSORS], inner[TENSORS];
    dnnl_primitive_t reorder[TENSORS];
    size_t inner_offset[TENSORS];
    dnnl_memory_t scratchpad;
    size_t scratchpad_offset, scratch_bytes;
    int reorders;
};

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static dnnl_status_t opened;

static void open_once(void) {
    opened = dnnl_engine_create(&engine, dnnl_cpu, 0);
    if (opened == dnnl_success) opened = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
}

static dnnl_status_t open_engine(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_once);
    return opened;
}

static int is_output(dnn_direction direction, int tensor) {
    switch (direction) {
        case DNN_FORWARD: return tensor == DESTINATION;
        case DNN_BACKWARD_DATA: return tensor == SOURCE;
        default: return tensor == WEIGHTS || tensor == BIAS;
    }
}

static int argument(dnn_direction direction, int tensor) {
    static const int forward[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST};
    static const int gradient[] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_DST};
    if (direction == DNN_FORWARD) return forward[tensor];
    if (tensor == DESTINATION || is_output(direction, tensor)) return gradient[tensor];
    return forward[tensor];
}

static int uses(const dnn_shape *shape, dnn_direction direction, int tensor) {
    return tensor != BIAS || (shape->has_bias && direction != DNN_BACKWARD_DATA);
}

#if DNNL_VERSION_MAJOR < 3
static dnnl_status_t describe(dnnl_primitive_desc_t *out, dnn_direction direction, view md[TENSORS],
                              const dnnl_dims_t strides, const dnnl_dims_t padding, dnnl_primitive_attr_t attributes) {
    const dnnl_dims_t undilated = {0, 0, 0};
    dnnl_convolution_desc_t operation;
    switch (direction) {
        case DNN_FORWARD:
            CHECK(dnnl_dilated_convolution_forward_desc_init(
                &operation, dnnl_forward_training, dnnl_convolution_direct, md[SOURCE], md[WEIGHTS], md[BIAS],
                md[DESTINATION], strides, undilated, padding, padding));
            return dnnl_primitive_desc_create(out, &operation, attributes, engine, NULL);
        case DNN_BACKWARD_DATA:
            CHECK(dnnl_dilated_convolution_backward_data_desc_init(
                &operation, dnnl_convolution_direct, md[SOURCE], md[WEIGHTS], md[DESTINATION], strides, undilated,
                padding, padding));
            break;
        default:
            CHECK(dnnl_dilated_convolution_backward_weights_desc_init(
                &operation, dnnl_convolution_direct, md[SOURCE], md[WEIGHTS], md[BIAS], md[DESTINATION], strides,
                undilated, padding, padding));
    }
    return dnnl_primitive_desc_create(out, &operation, attributes, engine, NULL);
}
#else
static dnnl_status_t describe(dnnl_primitive_desc_t *out, dnn_direction direction, view md[TENSORS],
                              const dnnl_dims_t strides, const dnnl_dims_t padding, dnnl_primitive_attr_t attributes) {
    const dnnl_dims_t undilated = {0, 0, 0};
    switch (direction) {
        case DNN_FORWARD:
            return dnnl_convolution_forward_primitive_desc_create(
                out, engine, dnnl_forward_training, dnnl_convolution_direct, md[SOURCE], md[WEIGHTS], md[BIAS],
                md[DESTINATION], strides, undilated, padding, padding, attributes);
        case DNN_BACKWARD_DATA:
            return dnnl_convolution_backward_data_primitive_desc_create(
                out, engine, dnnl_convolution_direct, md[SOURCE], md[WEIGHTS], md[DESTINATION], strides, undilated,
                padding, padding, NULL, attributes);
        default:
            return dnnl_convolution_backward_weights_primitive_desc_create(
                out, engine, dnnl_convolution_direct, md[SOURCE], md[WEIGHTS], md[BIAS], md[DESTINATION], strides,
                undilated, padding, padding, NULL, attributes);
    }
}
#endif

/// The format that the primitive wants for a tensor.
static view wanted(const_dnnl_primitive_desc_t description, dnn_direction direction, int tensor) {
    static const dnnl_query_t plain[] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_weights_md, dnnl_query_dst_md};
    static const dnnl_query_t gradient[] = {
        dnnl_query_diff_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md};
    int is_gradient = direction != DNN_FORWARD && (tensor == DESTINATION || is_output(direction, tensor));
    return dnnl_primitive_desc_query_md(description, (is_gradient ? gradient : plain)[tensor], tensor == BIAS);
}

static dnnl_status_t make_reorder(dnnl_primitive_t *out, view from, view to) {
    dnnl_primitive_desc_t description;
    CHECK(dnnl_reorder_primitive_desc_create(&description, from, engine, to, engine, NULL));
    dnnl_status_t status = dnnl_primitive_create(out, description);
    dnnl_primitive_desc_destroy(description);
    return status;
}

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

static dnnl_status_t bind(dnn_convolution *c, const dnn_shape *shape, dnnl_primitive_desc_t description,
                          view user[TENSORS]) {
    CHECK(dnnl_primitive_create(&c->primitive, description));
    for (int t = 0; t < TENSORS; t++) {
        if (!uses(shape, c->direction, t)) continue;
        view want = wanted(description, c->direction, t);
        CHECK(dnnl_memory_create(&c->user[t], user[t], engine, DNNL_MEMORY_NONE));
        if (dnnl_memory_desc_equal(user[t], want)) continue;
        int output = is_output(c->direction, t);
        CHECK(dnnl_memory_create(&c->inner[t], want, engine, DNNL_MEMORY_NONE));
        CHECK(make_reorder(&c->reorder[t], output ? want : user[t], output ? user[t] : want));
        c->inner_offset[t] = c->scratch_bytes;
        c->scratch_bytes += aligned(dnnl_memory_desc_get_size(want));
        c->reorders |= t == SOURCE || t == DESTINATION;
    }
    view pad = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    size_t pad_bytes = pad ? dnnl_memory_desc_get_size(pad) : 0;
    if (pad_bytes > 0) {
        CHECK(dnnl_memory_create(&c->scratchpad, pad, engine, DNNL_MEMORY_NONE));
        c->scratchpad_offset = c->scratch_bytes;
        c->scratch_bytes += aligned(pad_bytes);
    }
    return dnnl_success;
}

/// The implementation's name, and whether it is worth having on the caller's layouts.
static int is_fast(const_dnnl_primitive_desc_t description, const char **name) {
    *name = "";
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, (void *)name);
    return !strstr(*name, "ref") && !strstr(*name, "gemm");
}

static dnnl_status_t compile(dnn_convolution *c, const dnn_shape *s, dnnl_primitive_attr_t attributes) {
    const dnnl_dims_t sizes[TENSORS] = {
        [SOURCE] = {s->batch, s->input_channels, s->input[0], s->input[1], s->input[2]},
        [WEIGHTS] = {s->output_channels, s->input_channels, s->kernel[0], s->kernel[1], s->kernel[2]},
        [BIAS] = {s->output_channels},
        [DESTINATION] = {s->batch, s->output_channels, s->output[0], s->output[1], s->output[2]}};
    const dnnl_dims_t strides = {s->stride[0], s->stride[1], s->stride[2]};
    const dnnl_dims_t padding = {s->padding[0], s->padding[1], s->padding[2]};
    dnnl_format_tag_t blocked = s->block == DNN_BLOCK_16 ? dnnl_aBcde16b : dnnl_aBcde8b;
    const dnnl_format_tag_t tags[TENSORS] = {blocked, dnnl_abcde, dnnl_a, blocked};

    descriptor fixed[TENSORS] = {0}, any[TENSORS] = {0};
    view user[TENSORS], first[TENSORS], second[TENSORS];
    dnnl_status_t status = dnnl_success;
    for (int t = 0; t < TENSORS && status == dnnl_success; t++) {
        int count = t == BIAS ? 1 : 5;
        status = descriptor_create(&fixed[t], sizes[t], count, tags[t]);
        if (status == dnnl_success) status = descriptor_create(&any[t], sizes[t], count, dnnl_format_tag_any);
        user[t] = view_of(&fixed[t]);
        first[t] = t == WEIGHTS ? view_of(&any[t]) : user[t];
        second[t] = t == BIAS ? user[t] : view_of(&any[t]);
    }
    if (!uses(s, c->direction, BIAS)) first[BIAS] = second[BIAS] = NULL;

    // First on the caller's layouts; where only a slow implementation takes them, in the layout oneDNN likes best,
    // with reorders around it.
    dnnl_primitive_desc_t description = NULL;
    if (status == dnnl_success) {
        status = describe(&description, c->direction, first, strides, padding, attributes);
        if (status != dnnl_success || !is_fast(description, &c->implementation)) {
            dnnl_primitive_desc_t other = NULL;
            dnnl_status_t again = describe(&other, c->direction, second, strides, padding, attributes);
            if (again == dnnl_success) {
                if (description) dnnl_primitive_desc_destroy(description);
                description = other;
                status = dnnl_success;
                is_fast(description, &c->implementation);
            }
        }
    }
    if (status == dnnl_success) status = bind(c, s, description, user);
    if (description) dnnl_primitive_desc_destroy(description);
    for (int t = 0; t < TENSORS; t++) descriptor_destroy(&fixed[t]), descriptor_destroy(&any[t]);
    return status;
}

int dnn_convolution_create(dnn_convolution **out, const dnn_shape *shape, dnn_direction direction) {
    *out = NULL;
    CHECK(open_engine());
    dnnl_primitive_attr_t attributes;
    CHECK(dnnl_primitive_attr_create(&attributes));
    dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    dnn_convolution *c = calloc(1, sizeof *c);
    if (!c) return dnnl_out_of_memory;
    c->direction = direction;
    dnnl_status_t status = compile(c, shape, attributes);
    dnnl_primitive_attr_destroy(attributes);
    if (status != dnnl_success) dnn_convolution_destroy(c);
    else *out = c;
    return status;
}

void dnn_convolution_destroy(dnn_convolution *c) {
    if (!c) return;
    for (int t = 0; t < TENSORS; t++) {
        if (c->user[t]) dnnl_memory_destroy(c->user[t]);
        if (c->inner[t]) dnnl_memory_destroy(c->inner[t]);
        if (c->reorder[t]) dnnl_primitive_destroy(c->reorder[t]);
    }
    if (c->scratchpad) dnnl_memory_destroy(c->scratchpad);
    if (c->primitive) dnnl_primitive_destroy(c->primitive);
    free(c);
}

size_t dnn_convolution_scratch_bytes(const dnn_convolution *c) { return c->scratch_bytes; }
const char *dnn_convolution_implementation(const dnn_convolution *c) { return c->implementation; }
int dnn_convolution_reorders(const dnn_convolution *c) { return c->reorders; }

static dnnl_status_t set_handle(dnnl_memory_t memory, void *handle) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_set_data_handle(memory, handle);
#else
    // With a stream the padded channels are not cleared again on every call: the caller keeps them zero.
    return dnnl_memory_set_data_handle_v2(memory, handle, NULL);
#endif
}

static dnnl_status_t reorder(dnn_convolution *c, int t) {
    int output = is_output(c->direction, t);
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, output ? c->inner[t] : c->user[t]},
                                   {DNNL_ARG_TO, output ? c->user[t] : c->inner[t]}};
    return dnnl_primitive_execute(c->reorder[t], stream, 2, arguments);
}

int dnn_convolution_run(dnn_convolution *c, float *source, float *weights, float *bias, float *destination,
                        void *scratch) {
    void *handles[TENSORS] = {source, weights, bias, destination};
    dnnl_exec_arg_t arguments[TENSORS + 1];
    int count = 0;
    for (int t = 0; t < TENSORS; t++) {
        if (!c->user[t]) continue;
        CHECK(set_handle(c->user[t], handles[t]));
        if (c->inner[t]) {
            CHECK(set_handle(c->inner[t], (char *)scratch + c->inner_offset[t]));
            if (!is_output(c->direction, t)) CHECK(reorder(c, t));
        }
        arguments[count++] = (dnnl_exec_arg_t){argument(c->direction, t), c->inner[t] ? c->inner[t] : c->user[t]};
    }
    if (c->scratchpad) {
        CHECK(set_handle(c->scratchpad, (char *)scratch + c->scratchpad_offset));
        arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, c->scratchpad};
    }
    CHECK(dnnl_primitive_execute(c->primitive, stream, count, arguments));
    for (int t = 0; t < TENSORS; t++)
        if (c->inner[t] && is_output(c->direction, t)) CHECK(reorder(c, t));
    return dnnl_stream_wait(stream);
}

int dnn_limit_instruction_set(const char *name) {
#if DNNL_VERSION_MAJOR >= 3
    const dnnl_cpu_isa_t widest = dnnl_cpu_isa_default;
#else
    const dnnl_cpu_isa_t widest = dnnl_cpu_isa_all;
#endif
    dnnl_cpu_isa_t isa = !strcmp(name, "portable") ? dnnl_cpu_isa_sse41
                       : !strcmp(name, "avx2") ? dnnl_cpu_isa_avx2
                                               : widest;
    return dnnl_set_max_cpu_isa(isa);
}

const char *dnn_instruction_set(void) {
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    if (isa == dnnl_cpu_isa_sse41) return "SSE4.1";
    if (isa == dnnl_cpu_isa_avx) return "AVX";
    if (isa == dnnl_cpu_isa_avx2) return "AVX2";
    if (isa == dnnl_cpu_isa_avx2_vnni) return "AVX2 with VNNI";
    if (isa == dnnl_cpu_isa_avx512_core) return "AVX-512";
    if (isa == dnnl_cpu_isa_avx512_core_vnni) return "AVX-512 with VNNI";
    if (isa == dnnl_cpu_isa_avx512_core_bf16) return "AVX-512 with BF16";
    if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core) return "AVX-512 with AMX or FP16";
    return "no vector unit it knows";
}

int dnn_version(void) {
    const dnnl_version_t *v = dnnl_version();
    return v->major * 10000 + v->minor * 100 + v->patch;
}

const char *dnn_status_text(int status) {
    switch (status) {
        case dnnl_success: return "success";
        case dnnl_out_of_memory: return "out of memory";
        case dnnl_invalid_arguments: return "invalid arguments";
        case dnnl_unimplemented: return "not implemented for this shape";
        case dnnl_runtime_error: return "run-time error";
        default: return "failed";
    }
}
