// SPDX-License-Identifier: MIT
// A native addon of Node.js that uses Node's libuv: work(COUNT, CALLBACK) queues that much work, and calls back with how
// much was done.
#include "addon.h"

#include <stdlib.h>

struct batch {
    napi_env env;
    napi_ref callback;
    int left, done;
};

struct piece {
    uv_work_t work; // first
    struct batch *batch;
};

static void addon_work(uv_work_t *work)
{
    (void)work;
}

static void tell(const struct batch *batch)
{
    napi_handle_scope scope;
    napi_value callback, number, global, result;
    napi_open_handle_scope(batch->env, &scope);
    napi_get_reference_value(batch->env, batch->callback, &callback);
    napi_create_int32(batch->env, batch->done, &number);
    napi_get_global(batch->env, &global);
    napi_call_function(batch->env, global, callback, 1, &number, &result);
    napi_close_handle_scope(batch->env, scope);
}

static void addon_done(uv_work_t *work, int status)
{
    struct batch *batch = ((struct piece *)work)->batch;
    free(work);
    batch->done += status == 0;
    if (--batch->left > 0)
        return;
    tell(batch);
    napi_delete_reference(batch->env, batch->callback);
    free(batch);
}

static napi_value work(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    size_t count = 2;
    struct batch *batch = calloc(1, sizeof(*batch));
    uv_loop_t *loop;
    napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
    batch->env = env;
    napi_get_value_int32(env, arguments[0], &batch->left);
    napi_create_reference(env, arguments[1], 1, &batch->callback);
    napi_get_uv_event_loop(env, &loop);
    for (int i = 0, pieces = batch->left; i < pieces; i++) {
        struct piece *piece = calloc(1, sizeof(*piece));
        piece->batch = batch;
        uv_queue_work(loop, &piece->work, addon_work, addon_done);
    }
    return NULL;
}

ADDON_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    return addon_export(env, exports, "work", work);
}
