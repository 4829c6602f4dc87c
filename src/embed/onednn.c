#include "embed/onednn.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR != 2
#error "onednn.c is written for the C API of oneDNN 2"
#endif

#define ALIGN 64

/* With AVX-512 a row is the same in a product of any height: steps only bound the number of kernels. */
#define STEP_AVX512 4
/* Without, it is in multiples of 12. */
#define STEP_OTHER 12

struct kernel {
	dnnl_primitive_t primitive;
	dnnl_memory_desc_t x, y, scratch;
};

struct onednn {
	dnnl_engine_t engine;
	int bf16;
	size_t step, max_rows;
};

struct product {
	struct onednn *o;
	struct product_shape shape;
	dnnl_memory_desc_t w, b; /* packed weights, bias */
	size_t n_kernels;
	pthread_mutex_t making;
	_Atomic(struct kernel *) kernels[]; /* of (i + 1) * step rows; NULL until met */
};

struct packed {
	dnnl_memory_t w, b;
};

struct lane {
	dnnl_stream_t stream;
	void *scratch;
	size_t scratch_size;
};

static int fail(struct error *e, dnnl_status_t s, const char *doing)
{
	if (s == dnnl_out_of_memory)
		return error_set(e, ERR_NO_MEMORY, NULL, "out of memory (oneDNN)");
	return error_set(e, ERR_INTERNAL, NULL, "oneDNN failed while %s: status %d", doing, (int)s);
}

static int has_isa(dnnl_cpu_isa_t wanted)
{
	return (dnnl_get_effective_cpu_isa() & wanted) == wanted;
}

int onednn_open(enum embed_precision p, size_t max_rows, struct onednn **out, struct error *e)
{
	/* Emulated on other processors: correct, and four times slower than float32. */
	int native = has_isa(dnnl_cpu_isa_avx512_core_bf16);
	struct onednn *o;
	dnnl_status_t s;

	if (p == PRECISION_BF16 && !native)
		return error_set(e, ERR_CONFIG, "precision",
				 "this processor has no bf16 instructions: use float32");
	if (!(o = calloc(1, sizeof(*o))))
		return no_memory(e);
	o->bf16 = native && p != PRECISION_FLOAT32;
	o->step = has_isa(dnnl_cpu_isa_avx512_core) ? STEP_AVX512 : STEP_OTHER;
	o->max_rows = max_rows;
	if ((s = dnnl_engine_create(&o->engine, dnnl_cpu, 0))) {
		free(o);
		return fail(e, s, "starting");
	}
	*out = o;
	return 0;
}

void onednn_close(struct onednn *o)
{
	if (!o)
		return;
	dnnl_engine_destroy(o->engine);
	free(o);
}

int onednn_is_bf16(const struct onednn *o)
{
	return o->bf16;
}

size_t onednn_rows(const struct onednn *o, size_t rows)
{
	return (rows + o->step - 1) / o->step * o->step;
}

/* oneDNN fails in many small steps: the first failure is kept, and later steps are skipped. */
#define STEP(s, call) ((s) = (s) ? (s) : (call))

static dnnl_status_t describe(const struct product *p, size_t rows, dnnl_primitive_attr_t attr,
			      const dnnl_memory_desc_t *w, struct kernel *k, dnnl_primitive_desc_t *out)
{
	const struct product_shape *shape = &p->shape;
	dnnl_data_type_t type = p->o->bf16 ? dnnl_bf16 : dnnl_f32;
	dnnl_dims_t x = { (dnnl_dim_t)rows, (dnnl_dim_t)shape->in };
	dnnl_dims_t y = { (dnnl_dim_t)rows, (dnnl_dim_t)shape->out };
	dnnl_status_t s = dnnl_success;
	dnnl_matmul_desc_t d;

	STEP(s, dnnl_memory_desc_init_by_tag(&k->x, 2, x, type, dnnl_ab));
	STEP(s, dnnl_memory_desc_init_by_tag(&k->y, 2, y, shape->narrow ? type : dnnl_f32, dnnl_ab));
	STEP(s, dnnl_matmul_desc_init(&d, &k->x, w, &p->b, &k->y));
	STEP(s, dnnl_primitive_desc_create(out, &d, attr, p->o->engine, NULL));
	return s;
}

static dnnl_status_t add_gelu(dnnl_primitive_attr_t attr)
{
	dnnl_post_ops_t ops = NULL;
	dnnl_status_t s = dnnl_post_ops_create(&ops);

	STEP(s, dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_gelu_erf, 0, 0));
	STEP(s, dnnl_primitive_attr_set_post_ops(attr, ops));
	dnnl_post_ops_destroy(ops);
	return s;
}

/* Describes the product of `rows` with weights laid out as `w`, which may leave the layout open. */
static dnnl_status_t describe_with_attr(const struct product *p, size_t rows, const dnnl_memory_desc_t *w,
					struct kernel *k, dnnl_primitive_desc_t *out)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_status_t s = dnnl_primitive_attr_create(&attr);

	/* A scratchpad of oneDNN's own would tie a kernel to one thread. */
	STEP(s, dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
	if (p->shape.gelu)
		STEP(s, add_gelu(attr));
	STEP(s, describe(p, rows, attr, w, k, out));
	dnnl_primitive_attr_destroy(attr);
	return s;
}

/* Fixes the layout of the weights: the one that the tallest product likes best. */
static dnnl_status_t choose_layout(struct product *p)
{
	dnnl_dims_t w = { (dnnl_dim_t)p->shape.in, (dnnl_dim_t)p->shape.out };
	dnnl_dims_t b = { 1, (dnnl_dim_t)p->shape.out };
	dnnl_primitive_desc_t pd = NULL;
	dnnl_memory_desc_t any;
	dnnl_status_t s = dnnl_success;
	struct kernel k;

	STEP(s, dnnl_memory_desc_init_by_tag(&any, 2, w, p->o->bf16 ? dnnl_bf16 : dnnl_f32,
					     dnnl_format_tag_any));
	STEP(s, dnnl_memory_desc_init_by_tag(&p->b, 2, b, dnnl_f32, dnnl_ab));
	STEP(s, describe_with_attr(p, onednn_rows(p->o, p->o->max_rows), &any, &k, &pd));
	if (s)
		return s;
	p->w = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
	dnnl_primitive_desc_destroy(pd);
	return dnnl_success;
}

int product_new(struct onednn *o, const struct product_shape *shape, struct product **out, struct error *e)
{
	size_t n = onednn_rows(o, o->max_rows) / o->step;
	struct product *p = calloc(1, sizeof(*p) + n * sizeof(p->kernels[0]));
	int saved = lane_enter();
	dnnl_status_t s;

	if (p) {
		p->o = o;
		p->shape = *shape;
		p->n_kernels = n;
		pthread_mutex_init(&p->making, NULL);
	}
	s = p ? choose_layout(p) : dnnl_out_of_memory;
	lane_leave(saved);
	if (s) {
		product_free(p);
		return fail(e, s, "choosing a layout");
	}
	*out = p;
	return 0;
}

void product_free(struct product *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_kernels; i++) {
		struct kernel *k = atomic_load(&p->kernels[i]);
		if (k)
			dnnl_primitive_destroy(k->primitive);
		free(k);
	}
	pthread_mutex_destroy(&p->making);
	free(p);
}

/* w[out][in] is, to oneDNN, the matrix [in][out] with its columns together. */
static dnnl_status_t pack(const struct product *p, const float *w, dnnl_memory_t to)
{
	dnnl_dims_t dims = { (dnnl_dim_t)p->shape.in, (dnnl_dim_t)p->shape.out };
	dnnl_primitive_desc_t pd = NULL;
	dnnl_primitive_t reorder = NULL;
	dnnl_stream_t stream = NULL;
	dnnl_memory_t from = NULL;
	dnnl_memory_desc_t plain;
	dnnl_status_t s = dnnl_success;

	STEP(s, dnnl_memory_desc_init_by_tag(&plain, 2, dims, dnnl_f32, dnnl_ba));
	STEP(s, dnnl_memory_create(&from, &plain, p->o->engine, (void *)(uintptr_t)w));
	STEP(s, dnnl_reorder_primitive_desc_create(&pd, &plain, p->o->engine, &p->w, p->o->engine, NULL));
	STEP(s, dnnl_primitive_create(&reorder, pd));
	STEP(s, dnnl_stream_create(&stream, p->o->engine, dnnl_stream_default_flags));
	dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
	STEP(s, dnnl_primitive_execute(reorder, stream, 2, args));
	STEP(s, dnnl_stream_wait(stream));
	dnnl_stream_destroy(stream);
	dnnl_primitive_destroy(reorder);
	dnnl_primitive_desc_destroy(pd);
	dnnl_memory_destroy(from);
	return s;
}

static dnnl_status_t copy_bias(const struct product *p, const float *bias, dnnl_memory_t to)
{
	void *b = NULL;
	dnnl_status_t s = dnnl_memory_map_data(to, &b);

	if (!s)
		memcpy(b, bias, p->shape.out * sizeof(float));
	return s ? s : dnnl_memory_unmap_data(to, b);
}

int packed_new(struct product *p, const float *w, const float *bias, struct packed **out, struct error *e)
{
	struct packed *k = calloc(1, sizeof(*k));
	dnnl_status_t s = k ? dnnl_success : dnnl_out_of_memory;
	int saved = lane_enter();

	STEP(s, dnnl_memory_create(&k->w, &p->w, p->o->engine, DNNL_MEMORY_ALLOCATE));
	STEP(s, dnnl_memory_create(&k->b, &p->b, p->o->engine, DNNL_MEMORY_ALLOCATE));
	STEP(s, pack(p, w, k->w));
	STEP(s, copy_bias(p, bias, k->b));
	lane_leave(saved);
	if (s) {
		packed_free(k);
		return fail(e, s, "packing weights");
	}
	*out = k;
	return 0;
}

void packed_free(struct packed *k)
{
	if (!k)
		return;
	dnnl_memory_destroy(k->w);
	dnnl_memory_destroy(k->b);
	free(k);
}

int lane_new(struct onednn *o, struct lane **out, struct error *e)
{
	struct lane *l = calloc(1, sizeof(*l));
	dnnl_status_t s = l ? dnnl_success : dnnl_out_of_memory;

	STEP(s, dnnl_stream_create(&l->stream, o->engine, dnnl_stream_default_flags));
	if (s) {
		free(l);
		return fail(e, s, "starting a stream");
	}
	*out = l;
	return 0;
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	dnnl_stream_destroy(l->stream);
	free(l->scratch);
	free(l);
}

int lane_enter(void)
{
	int saved = omp_get_max_threads();

	omp_set_num_threads(1);
	return saved;
}

void lane_leave(int saved)
{
	omp_set_num_threads(saved);
}

static dnnl_status_t make_kernel(const struct product *p, size_t rows, struct kernel *k)
{
	dnnl_primitive_desc_t pd = NULL;
	dnnl_status_t s = describe_with_attr(p, rows, &p->w, k, &pd);

	if (s)
		return s;
	k->scratch = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	s = dnnl_primitive_create(&k->primitive, pd);
	dnnl_primitive_desc_destroy(pd);
	return s;
}

/* The kernel of `rows` (a multiple of the step), made if it is met for the first time. */
static dnnl_status_t find_kernel(struct product *p, size_t rows, const struct kernel **out)
{
	_Atomic(struct kernel *) *slot = &p->kernels[rows / p->o->step - 1];
	struct kernel *k = atomic_load_explicit(slot, memory_order_acquire);
	dnnl_status_t s = dnnl_success;

	if (!k) {
		pthread_mutex_lock(&p->making);
		if (!(k = atomic_load_explicit(slot, memory_order_relaxed))) {
			s = (k = calloc(1, sizeof(*k))) ? make_kernel(p, rows, k) : dnnl_out_of_memory;
			if (s) {
				free(k);
				k = NULL;
			} else {
				atomic_store_explicit(slot, k, memory_order_release);
			}
		}
		pthread_mutex_unlock(&p->making);
	}
	*out = k;
	return s;
}

static dnnl_status_t widen_scratch(struct lane *l, size_t size)
{
	if (size <= l->scratch_size)
		return dnnl_success;
	free(l->scratch);
	l->scratch_size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!(l->scratch = aligned_alloc(ALIGN, l->scratch_size)))
		l->scratch_size = 0;
	return l->scratch ? dnnl_success : dnnl_out_of_memory;
}

int product_run(struct product *p, const struct packed *w, struct lane *l, const void *x, size_t rows,
		void *y, struct error *e)
{
	dnnl_engine_t engine = p->o->engine;
	dnnl_memory_t mx = NULL, my = NULL, scratch = NULL;
	const struct kernel *k;
	dnnl_status_t s;

	assert(rows > 0 && rows <= p->o->max_rows);
	if ((s = find_kernel(p, onednn_rows(p->o, rows), &k)))
		return fail(e, s, "making a kernel");
	STEP(s, widen_scratch(l, dnnl_memory_desc_get_size(&k->scratch)));
	STEP(s, dnnl_memory_create(&mx, &k->x, engine, (void *)(uintptr_t)x));
	STEP(s, dnnl_memory_create(&my, &k->y, engine, y));
	STEP(s, dnnl_memory_create(&scratch, &k->scratch, engine, l->scratch));
	dnnl_exec_arg_t args[] = {
		{ DNNL_ARG_SRC, mx }, { DNNL_ARG_WEIGHTS, w->w },       { DNNL_ARG_BIAS, w->b },
		{ DNNL_ARG_DST, my }, { DNNL_ARG_SCRATCHPAD, scratch },
	};
	STEP(s, dnnl_primitive_execute(k->primitive, l->stream, 5, args));
	STEP(s, dnnl_stream_wait(l->stream));
	dnnl_memory_destroy(mx);
	dnnl_memory_destroy(my);
	dnnl_memory_destroy(scratch);
	return s ? fail(e, s, "multiplying") : 0;
}
