// SPDX-License-Identifier: MIT
// Which daemon, and where it lives.
#include "sessiond.h"

#include "daemon_call.h"
#include "session.h"
#include "system_daemon.h"
#include "trace_dir.h"

#include <lttng/lttng.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int uvs__find_sessiond(char ret_path[PATH_MAX], struct uvs_error *error)
{
    const char *chosen = getenv("LTTNG_SESSIOND_PATH"), *path = getenv("PATH");
    if (chosen && chosen[0]) {
        snprintf(ret_path, PATH_MAX, "%s", chosen);
        if (access(ret_path, X_OK) == 0)
            return 0;
        return uvs_error_set(error, UVS_E_ENVIRONMENT, "LTTNG_SESSIOND_PATH is %s: %s", chosen,
                             strerror(errno));
    }
    char places[4 * PATH_MAX];
    snprintf(places, sizeof(places), "%s:/usr/bin:/usr/local/bin", path ? path : "");
    for (char *save = NULL, *place = strtok_r(places, ":", &save); place;
         place = strtok_r(NULL, ":", &save)) {
        snprintf(ret_path, PATH_MAX, "%s/lttng-sessiond", place);
        if (place[0] == '/' && access(ret_path, X_OK) == 0)
            return 0;
    }
    return uvs_error_set(error, UVS_E_ENVIRONMENT,
                         "lttng-sessiond is not installed; install lttng-tools (apt install lttng-tools)");
}

// Short, because the paths of the sockets in it may have 107 bytes.
static int make_home(struct uvs_sessiond *daemon, struct uvs_error *error)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *places[] = {runtime && runtime[0] == '/' ? runtime : "/tmp", "/tmp"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t length = (size_t)snprintf(daemon->home, sizeof(daemon->home), "%s/uvscope-XXXXXX", places[i]);
        if (length < sizeof(daemon->home) && mkdtemp(daemon->home))
            return 0;
    }
    return uvs_error_set(error, UVS_E_ENVIRONMENT, "cannot make a directory in /tmp for the LTTng daemon: %s",
                         strerror(errno));
}

static int acquire_private(const char *session, struct uvs_sessiond *daemon, struct uvs_error *error)
{
    char path[PATH_MAX];
    int result = uvs__find_sessiond(path, error);
    if (!result)
        result = make_home(daemon, error);
    if (result)
        return result;
    setenv("LTTNG_HOME", daemon->home, 1);
    // Members of the group `tracing` would be led to the system's daemon first; nobody is in this one.
    lttng_set_tracing_group("uvscope-no-group");
    const struct uvs_keeper_task task = {.session = session, .home = daemon->home, .sessiond = path};
    result = uvs__keeper_start(&task, &daemon->keeper, error);
    if (result)
        uvs__remove_tree(daemon->home);
    return result;
}

static int acquire_system(const char *session, struct uvs_sessiond *daemon, struct uvs_error *error)
{
    char path[PATH_MAX];
    daemon->lock = uvs__system_lock();
    bool alive;
    int result = uvs__daemon_alive(&alive, error);
    if (result && uvs__daemon_is_silent())
        uvs__system_daemon_say_silent(error);
    else if (!result && !alive)
        result = uvs__find_sessiond(path, error);
    if (!result && !alive && daemon->lock >= 0)
        uvs__system_daemon_clear();
    struct uvs_keeper_task task = {.session = session, .sessiond = alive ? NULL : path};
    if (!result)
        result = uvs__keeper_start(&task, &daemon->keeper, error);
    // Ours could not start if somebody else, who knows nothing of the lock, started one meanwhile.
    if (result && task.sessiond && !uvs__daemon_alive(&alive, NULL) && alive) {
        task.sessiond = NULL;
        result = uvs__keeper_start(&task, &daemon->keeper, error);
    }
    if (result)
        uvs__sessiond_unlock(daemon);
    return result;
}

int uvs__sessiond_acquire(const char *session, struct uvs_sessiond *ret_daemon, struct uvs_error *error)
{
    struct uvs_sessiond daemon = {.session = session, .lock = -1};
    int result = uvs__daemon_timeout_read(error);
    // liblttng-ctl looks at the real user too.
    if (!result)
        result = getuid() == 0 ? acquire_system(session, &daemon, error)
                               : acquire_private(session, &daemon, error);
    if (!result)
        *ret_daemon = daemon;
    return result;
}

bool uvs__sessiond_wake(const struct uvs_sessiond *daemon)
{
    return uvs__keeper_wake_daemon(&daemon->keeper);
}

void uvs__sessiond_unlock(struct uvs_sessiond *daemon)
{
    uvs__system_unlock(daemon->lock);
    daemon->lock = -1;
}

void uvs__sessiond_release(struct uvs_sessiond *daemon)
{
    uvs__sessiond_unlock(daemon);
    if (uvs__keeper_finish(&daemon->keeper))
        return;
    // Somebody killed the keeper: a private daemon went with it.
    if (daemon->home[0]) {
        uvs__remove_tree(daemon->home);
    } else {
        uvs__session_destroy(daemon->session);
        uvs__system_daemon_end(UVS_DAEMON_END_MS);
    }
}
