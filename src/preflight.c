// SPDX-License-Identifier: MIT
// What the loader would refuse or ignore, found before the program is started.
#include "preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
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
                      strchr(name, '/') ? "" : "; it is in no directory of PATH");
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

static int check_privileges(const char *path, struct uvs_error *error)
{
    if (!gains_privileges(path))
        return 0;
    return REFUSE(error, UVS_RECORD_FAILED,
                  "%s is set-uid, set-gid or has file capabilities, so the loader ignores LD_PRELOAD and it "
                  "cannot be traced; record it as the user it runs as, or record a copy without them",
                  path);
}

// --- ELF ---

struct elf_facts {
    int class, machine;
    char interpreter[PATH_MAX]; // "" when it has none: statically linked
    bool exports_uv_run;
};

static void read_interpreter(Elf *elf, struct elf_facts *facts)
{
    size_t count = 0, size = 0;
    const char *image = elf_rawfile(elf, &size);
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_INTERP)
            continue;
        if (image && header.p_offset < size && header.p_filesz <= size - header.p_offset)
            snprintf(facts->interpreter, sizeof(facts->interpreter), "%.*s", (int)header.p_filesz,
                     image + header.p_offset);
    }
}

static bool defines_uv_run(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    if (!data || header->sh_entsize == 0)
        return false;
    for (size_t i = 0; i < header->sh_size / header->sh_entsize; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF)
            continue;
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name && strcmp(name, "uv_run") == 0)
            return true;
    }
    return false;
}

static bool exports_uv_run(Elf *elf)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM &&
            defines_uv_run(elf, section, &header))
            return true;
    }
    return false;
}

// False when fd is no ELF file.
static bool read_elf(int fd, struct elf_facts *ret_facts)
{
    *ret_facts = (struct elf_facts){0};
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    GElf_Ehdr header;
    bool is_elf = elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header);
    if (is_elf) {
        ret_facts->class = gelf_getclass(elf);
        ret_facts->machine = header.e_machine;
        read_interpreter(elf, ret_facts);
        ret_facts->exports_uv_run = exports_uv_run(elf);
    }
    elf_end(elf);
    return is_elf;
}

static bool read_own_elf(struct elf_facts *ret_facts)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool read = read_elf(fd, ret_facts);
    close(fd);
    return read;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int check_elf(const char *path, const struct elf_facts *program, struct uvs_error *error)
{
    struct elf_facts own;
    if (!read_own_elf(&own))
        return 0;
    if (program->class != own.class || program->machine != own.machine)
        return REFUSE(error, UVS_RECORD_FAILED,
                      "%s is for another architecture than this uvscope, whose runtime cannot be loaded into "
                      "it; use a uvscope built for that architecture",
                      path);
    if (program->interpreter[0] == '\0')
        return REFUSE(error, UVS_RECORD_FAILED,
                      "%s is statically linked, so LD_PRELOAD does not work and it cannot be traced; link it "
                      "dynamically",
                      path);
    if (strcmp(base_name(program->interpreter), base_name(own.interpreter)) != 0)
        return REFUSE(
            error, UVS_RECORD_FAILED,
            "%s is loaded by %s, uvscope by %s: another C library, into which the runtime cannot be "
            "loaded; use a uvscope built for it",
            path, program->interpreter, own.interpreter);
    return 0;
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

// The path of a script's interpreter; 1 found, 0 not to be told, negative as uvs__preflight.
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

static int inspect(const char *path, int depth, struct uvs_program *program, struct uvs_error *error)
{
    // What may be executed but not read is taken as it is.
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return check_privileges(path, error);
    char line[LINE_MAX_BYTES + 1] = "", interpreter[PATH_MAX];
    struct elf_facts facts;
    ssize_t length = pread(fd, line, LINE_MAX_BYTES, 0);
    bool is_script = length > 2 && line[0] == '#' && line[1] == '!';
    bool is_elf = !is_script && read_elf(fd, &facts);
    close(fd);
    // The kernel ignores the bits of a script.
    int result = is_script ? 0 : check_privileges(path, error);
    if (!result && is_elf) {
        program->has_own_libuv = facts.exports_uv_run;
        return check_elf(path, &facts, error);
    }
    if (!is_script || depth == SCRIPTS_MAX)
        return result;
    result = find_interpreter(line + 2, path, interpreter, error);
    return result == 1 ? inspect(interpreter, depth + 1, program, error) : result;
}

int uvs__preflight(const char *program, struct uvs_program *ret_program, struct uvs_error *error)
{
    struct uvs_program found = {0};
    int result = find_program(program, found.path, error);
    if (!result)
        result = inspect(found.path, 0, &found, error);
    if (!result)
        *ret_program = found;
    return result;
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
