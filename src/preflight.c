// SPDX-License-Identifier: MIT
// What the loader would refuse or ignore, found before the program is started.
#include "preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    SCRIPTS_MAX = 4, // interpreters of interpreters, as the kernel has it
    LINE_MAX_BYTES = 256,
};

// uvs_error_set knows the exits of the other commands only.
#define REFUSE(error, status, ...) (uvs_error_set((error), UVS_E_ENVIRONMENT, __VA_ARGS__), -(int)(status))

// --- Finding ---

// 0 when path is a file that can be executed, else errno.
static int why_not_executable(const char *path)
{
    struct stat info;
    if (stat(path, &info))
        return errno;
    if (!S_ISREG(info.st_mode))
        return EACCES;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? errno : 0;
}

// The first that can be executed; else EACCES if one was there, else ENOENT.
static int search_path(const char *name, char ret_path[PATH_MAX])
{
    const char *path = getenv("PATH");
    if (!path)
        path = "/bin:/usr/bin";
    int reason = ENOENT;
    for (const char *part = path;;) {
        size_t length = strcspn(part, ":");
        const char *directory = length ? part : ".";
        int used = snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)(length ? length : 1), directory, name);
        // A directory that may not be searched says nothing about the program.
        int why = used < PATH_MAX && access(ret_path, F_OK) == 0 ? why_not_executable(ret_path) : ENOENT;
        if (why == 0)
            return 0;
        if (why == EACCES)
            reason = EACCES;
        if (part[length] == '\0')
            return reason;
        part += length + 1;
    }
}

static int find_program(const char *name, char ret_path[PATH_MAX], struct uvs_error *error)
{
    int reason = ENOENT;
    if (strlen(name) >= PATH_MAX)
        reason = ENAMETOOLONG;
    else if (strchr(name, '/'))
        reason = why_not_executable(strcpy(ret_path, name));
    else if (name[0])
        reason = search_path(name, ret_path);
    if (reason == 0)
        return 0;
    if (reason == ENOENT || reason == ENOTDIR)
        return REFUSE(error, UVS_RECORD_NOT_FOUND, "'%s' is not there%s", name,
                      strchr(name, '/') ? "" : ": it is in no directory of PATH");
    return REFUSE(error, UVS_RECORD_NOT_EXECUTABLE, "'%s' cannot be executed: %s", name, strerror(reason));
}

// --- Privileges: the loader ignores LD_PRELOAD where the program gains some ---

static bool gains_privileges(const char *path)
{
    struct stat info;
    struct statvfs mount;
    if (stat(path, &info) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
        (statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID)))
        return false;
    bool changes_user = (info.st_mode & S_ISUID) && info.st_uid != getuid();
    bool changes_group = (info.st_mode & S_ISGID) && (info.st_mode & S_IXGRP) && info.st_gid != getgid();
    bool capable = getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
    return changes_user || changes_group || capable;
}

static int check_privileges(const char *name __attribute__((unused)), struct uvs_program *program,
                            struct uvs_error *error)
{
    if (program->binary[0] == '\0' || !gains_privileges(program->binary))
        return 0;
    return REFUSE(error, UVS_RECORD_FAILED,
                  "%s is set-uid, set-gid or has file capabilities, so the loader ignores LD_PRELOAD and it "
                  "cannot be traced; record it as the user it runs as, or record a copy without them",
                  program->binary);
}

// --- ELF ---

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int check_architecture(const char *name __attribute__((unused)), struct uvs_program *program,
                              struct uvs_error *error)
{
    struct uvs_elf_facts own;
    if (!program->is_elf || !uvs__elf_own_facts(&own) ||
        (program->facts.class == own.class && program->facts.machine == own.machine))
        return 0;
    return REFUSE(error, UVS_RECORD_FAILED,
                  "%s is for another architecture than this uvscope, whose runtime cannot be loaded into "
                  "it; use a uvscope built for that architecture",
                  program->binary);
}

static int check_linking(const char *name __attribute__((unused)), struct uvs_program *program,
                         struct uvs_error *error)
{
    if (!program->is_elf || program->facts.interpreter[0])
        return 0;
    return REFUSE(error, UVS_RECORD_FAILED,
                  "%s is statically linked, so LD_PRELOAD does not work and it cannot be traced; link it "
                  "dynamically",
                  program->binary);
}

static int check_c_library(const char *name __attribute__((unused)), struct uvs_program *program,
                           struct uvs_error *error)
{
    struct uvs_elf_facts own;
    if (!program->is_elf || !uvs__elf_own_facts(&own) ||
        strcmp(base_name(program->facts.interpreter), base_name(own.interpreter)) == 0)
        return 0;
    return REFUSE(error, UVS_RECORD_FAILED,
                  "%s is loaded by %s, uvscope by %s: another C library, into which the runtime cannot be "
                  "loaded; use a uvscope built for it",
                  program->binary, program->facts.interpreter, own.interpreter);
}

// --- Scripts ---

// The program that `env` of a #! line would run, as far as that can be told; NULL when it cannot.
static const char *env_target(char *rest)
{
    for (char *save = NULL, *word = strtok_r(rest, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
        if (word[0] != '-' && !strchr(word, '='))
            return word;
    }
    return NULL;
}

// The path of a script's interpreter; 1 found, 0 not to be told, negative as a step of uvs__preflight_steps.
static int find_interpreter(char *line, const char *script, char ret_path[PATH_MAX], struct uvs_error *error)
{
    line[strcspn(line, "\n")] = '\0';
    char *interpreter = line + strspn(line, " \t");
    size_t length = strcspn(interpreter, " \t");
    char *rest = interpreter + length + (interpreter[length] ? 1 : 0);
    interpreter[length] = '\0';
    if (length == 0)
        return 0;
    bool is_env = strcmp(base_name(interpreter), "env") == 0;
    const char *name = is_env ? env_target(rest) : interpreter;
    if (!name)
        return 0;
    int result = find_program(name, ret_path, is_env ? NULL : error);
    if (result && is_env)
        return 0; // an option of env, perhaps: env will say it
    if (result)
        uvs_error_add(error, "the interpreter of %s", script);
    return result ? result : 1;
}

// --- All of it ---

// The text behind a script's #!; NULL when path is none. What may be executed but not read is taken as it is.
static char *read_first_line(const char *path, char line[LINE_MAX_BYTES + 1], struct uvs_program *program)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    memset(line, 0, LINE_MAX_BYTES + 1);
    ssize_t length = pread(fd, line, LINE_MAX_BYTES, 0);
    bool is_script = length > 2 && line[0] == '#' && line[1] == '!';
    program->is_elf = !is_script && uvs__elf_facts(fd, &program->facts);
    close(fd);
    return is_script ? line + 2 : NULL;
}

static int find_binary(struct uvs_program *program, struct uvs_error *error)
{
    char path[PATH_MAX], line[LINE_MAX_BYTES + 1];
    strcpy(path, program->path);
    for (int depth = 0; depth <= SCRIPTS_MAX; depth++) {
        char interpreter[PATH_MAX], *rest = read_first_line(path, line, program);
        if (!rest) {
            strcpy(program->binary, path);
            program->has_own_libuv = program->is_elf && program->facts.exports_uv_run;
            return 0;
        }
        int result = find_interpreter(rest, path, interpreter, error);
        if (result <= 0)
            return result;
        strcpy(path, interpreter);
    }
    return 0;
}

static int find(const char *name, struct uvs_program *program, struct uvs_error *error)
{
    int result = find_program(name, program->path, error);
    return result ? result : find_binary(program, error);
}

const struct uvs_preflight_step uvs__preflight_steps[] = {
    {"program", NULL, find},
    {"privileges", "it gains no privileges, so the loader obeys LD_PRELOAD", check_privileges},
    {"architecture", "it is for this architecture", check_architecture},
    {"linking", "it is dynamically linked", check_linking},
    {"c-library", "its C library is the runtime's", check_c_library},
    {0},
};

int uvs__preflight(const char *program, struct uvs_program *ret_program, struct uvs_error *error)
{
    struct uvs_program found = {0};
    for (const struct uvs_preflight_step *step = uvs__preflight_steps; step->name; step++) {
        int result = step->run(program, &found, error);
        if (result)
            return result;
    }
    *ret_program = found;
    return 0;
}

int uvs__find_runtime(char ret_path[PATH_MAX], struct uvs_error *error)
{
    static const char *const places[] = {"/../lib", ("/../" UVS_LIBDIR), ""};
    char self[PATH_MAX], candidate[PATH_MAX + 64];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length < 0)
        return REFUSE(error, UVS_RECORD_FAILED, "cannot read /proc/self/exe: %s; is /proc mounted?",
                      strerror(errno));
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(candidate, sizeof(candidate), "%s%s/libuvscope.so", self, places[i]);
        if (!realpath(candidate, ret_path))
            continue;
        // The loader splits LD_PRELOAD there and knows no quoting.
        if (strpbrk(ret_path, " :"))
            return REFUSE(
                error, UVS_RECORD_FAILED,
                "%s cannot be preloaded: its path has a space or a colon; install uvscope elsewhere",
                ret_path);
        return 0;
    }
    return REFUSE(error, UVS_RECORD_FAILED,
                  "libuvscope.so is neither in %s/../lib nor in %s/../" UVS_LIBDIR
                  " nor in %s; install uvscope again",
                  self, self, self);
}

int uvs__find_beside(const char *runtime, const char *file, char ret_path[PATH_MAX], struct uvs_error *error)
{
    int directory = (int)(strrchr(runtime, '/') - runtime);
    if (snprintf(ret_path, PATH_MAX, "%.*s/%s", directory, runtime, file) < PATH_MAX &&
        access(ret_path, R_OK) == 0)
        return 0;
    return REFUSE(error, UVS_RECORD_FAILED, "%s is not beside %s; install uvscope again", file, runtime);
}
