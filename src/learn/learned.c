#include "learn/learned.h"

#include <stdlib.h>

static void free_intent(void *model)
{
	intent_model_free(model);
}

static int pack_intent(const void *model, struct arena *a, struct packed *out)
{
	return intent_model_pack(model, a, out);
}

static int unpack_intent(const struct packed *p, void **out, struct error *e)
{
	struct intent_model *made = NULL;
	int rc = intent_model_unpack(p, &made, e);

	*out = made;
	return rc;
}

static size_t dim_of_intent(const void *model)
{
	return intent_model_dim(model);
}

static void free_adapter(void *model)
{
	adapter_free(model);
}

static int pack_adapter(const void *model, struct arena *a, struct packed *out)
{
	return adapter_pack(model, a, out);
}

static int unpack_adapter(const struct packed *p, void **out, struct error *e)
{
	struct adapter *made = NULL;
	int rc = adapter_unpack(p, &made, e);

	*out = made;
	return rc;
}

static size_t dim_of_adapter(const void *model)
{
	return adapter_dim(model);
}

static void free_answering(void *model)
{
	free(model);
}

static int pack_answering(const void *model, struct arena *a, struct packed *out)
{
	return answering_pack(model, a, out);
}

static int unpack_answering(const struct packed *p, void **out, struct error *e)
{
	struct answering *made = NULL;
	int rc = answering_unpack(p, &made, e);

	*out = made;
	return rc;
}

static void free_usefulness(void *model)
{
	usefulness_free(model);
}

static int pack_usefulness(const void *model, struct arena *a, struct packed *out)
{
	return usefulness_pack(model, a, out);
}

static int unpack_usefulness(const struct packed *p, void **out, struct error *e)
{
	struct usefulness *made = NULL;
	int rc = usefulness_unpack(p, &made, e);

	*out = made;
	return rc;
}

static int pack_risk(const void *model, struct arena *a, struct packed *out)
{
	return risk_pack(model, a, out);
}

static int unpack_risk(const struct packed *p, void **out, struct error *e)
{
	struct risk_model *made = NULL;
	int rc = risk_unpack(p, &made, e);

	*out = made;
	return rc;
}

static int pack_fusion(const void *model, struct arena *a, struct packed *out)
{
	return fusion_pack(model, a, out);
}

static int unpack_fusion(const struct packed *p, void **out, struct error *e)
{
	struct fusion *made = NULL;
	int rc = fusion_unpack(p, &made, e);

	*out = made;
	return rc;
}

const struct learned_type learned_types[LEARNED_KINDS] = {
	[LEARNED_INTENT] = { "intent", 'm', free_intent, pack_intent, unpack_intent, dim_of_intent },
	[LEARNED_ADAPTER] = { "adapter", 'a', free_adapter, pack_adapter, unpack_adapter, dim_of_adapter },
	[LEARNED_ANSWERING] = { "answering", 'd', free_answering, pack_answering, unpack_answering, NULL },
	[LEARNED_USEFULNESS] = { "usefulness", 'u', free_usefulness, pack_usefulness, unpack_usefulness,
				 NULL },
	[LEARNED_RISK] = { "risk", 'r', free, pack_risk, unpack_risk, NULL },
	[LEARNED_FUSION] = { "fusion", 'f', free, pack_fusion, unpack_fusion, NULL },
};
