// SPDX-License-Identifier: MIT
// What the addons of the tests need of Node-API, whose headers come with Node.js only.
#ifndef UVS_TEST_ADDON_H
#define UVS_TEST_ADDON_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define ADDON_EXPORT __attribute__((visibility("default")))

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_ref__ *napi_ref;
typedef struct napi_handle_scope__ *napi_handle_scope;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value napi_callback(napi_env env, napi_callback_info info);

int napi_create_function(napi_env env, const char *name, size_t length, napi_callback *callback, void *data,
                         napi_value *ret_function);
int napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value);
int napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments, napi_value *this,
                     void **data);
int napi_get_value_int32(napi_env env, napi_value value, int32_t *ret_number);
int napi_create_int32(napi_env env, int32_t number, napi_value *ret_value);
int napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *ret_reference);
int napi_get_reference_value(napi_env env, napi_ref reference, napi_value *ret_value);
int napi_delete_reference(napi_env env, napi_ref reference);
int napi_open_handle_scope(napi_env env, napi_handle_scope *ret_scope);
int napi_close_handle_scope(napi_env env, napi_handle_scope scope);
int napi_get_global(napi_env env, napi_value *ret_global);
int napi_call_function(napi_env env, napi_value this, napi_value function, size_t count, const napi_value *arguments,
                       napi_value *ret_result);
int napi_get_uv_event_loop(napi_env env, uv_loop_t **ret_loop);

ADDON_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports);

// The module's only function.
static inline napi_value addon_export(napi_env env, napi_value exports, const char *name, napi_callback *callback)
{
    napi_value function;
    napi_create_function(env, name, SIZE_MAX, callback, NULL, &function);
    napi_set_named_property(env, exports, name, function);
    return exports;
}

#endif
