// SPDX-License-Identifier: MIT
// A native addon of Node.js with a libuv of its own: run(TICKS) runs its loop inside of Node's.
#include "addon.h"
#include "plugin.h"

static napi_value run(napi_env env, napi_callback_info info)
{
    napi_value argument, result;
    size_t count = 1;
    int32_t ticks = 0;
    napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
    napi_get_value_int32(env, argument, &ticks);
    napi_create_int32(env, plugin_run(ticks), &result);
    return result;
}

ADDON_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    return addon_export(env, exports, "run", run);
}
