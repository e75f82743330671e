// SPDX-License-Identifier: MIT
// libdwfl on one file at a time, without asking the network for debug information.
#include "symbols_elf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct uvs__elf {
    Dwfl *dwfl;
    Dwfl_Module *module;
    GElf_Addr bias; // libdwfl's address = link-time address + bias
};

// A compilation unit and an address in its own terms.
struct position {
    Dwarf_Die *unit;
    Dwarf_Addr address;
};

static int open_regular(const char *path)
{
    struct stat facts;
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    // What has no size is the kernel's, and reading it may have effects.
    if (fd < 0 || (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0))
        return fd;
    close(fd);
    return -1;
}

static bool has_build_id(int fd, const unsigned char *id, size_t length)
{
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    const void *bytes = NULL;
    const ssize_t found = elf && elf_kind(elf) == ELF_K_ELF ? dwelf_elf_gnu_build_id(elf, &bytes) : -1;
    const bool equal = found >= 0 && (size_t)found == length &&
                       (length == 0 || memcmp(bytes, id, length) == 0);
    elf_end(elf);
    return equal;
}

static int open_debug_file(const char *root, const char *directory, const char *below, const char *name,
                           const unsigned char *id, size_t length, char **ret_path)
{
    char *path;
    if (asprintf(&path, "%s%s%s/%s", root, directory, below, name) < 0)
        return -1;
    const int fd = open_regular(path);
    if (fd >= 0 && has_build_id(fd, id, length)) {
        *ret_path = path;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    free(path);
    return -1;
}

static int find_by_debuglink(Dwfl_Module *module, const char *file, const char *link, char **ret_path)
{
    static const char *const places[][2] = {{"", ""}, {"", "/.debug"}, {"/usr/lib/debug", ""}};
    const unsigned char *id;
    GElf_Addr id_address;
    const int length = dwfl_module_build_id(module, &id, &id_address);
    const char *slash = strrchr(file, '/');
    if (length <= 0 || !slash || strchr(link, '/'))
        return -1;
    char *directory = strndup(file, (size_t)(slash - file));
    int fd = -1;
    for (size_t i = 0; directory && fd < 0 && i < sizeof(places) / sizeof(places[0]); i++)
        fd = open_debug_file(places[i][0], directory, places[i][1], link, id, (size_t)length, ret_path);
    free(directory);
    return fd;
}

// libdwfl's own finder would also download.
static int find_debug_file(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                           const char *file, const char *link, GElf_Word crc, char **ret_path)
{
    const int fd = dwfl_build_id_find_debuginfo(module, user, name, base, file, link, crc, ret_path);
    if (fd >= 0 || !file || !link)
        return fd;
    return find_by_debuglink(module, file, link, ret_path);
}

static size_t parse_hex(const char *text, unsigned char *bytes, size_t size)
{
    size_t count = 0;
    unsigned value;
    while (count < size && sscanf(text + 2 * count, "%2x", &value) == 1)
        bytes[count++] = (unsigned char)value;
    return count;
}

static int open_recorded(const char *path, const char *build_id)
{
    unsigned char id[64];
    elf_version(EV_CURRENT);
    const int fd = path[0] == '/' ? open_regular(path) : -1;
    if (fd < 0 || has_build_id(fd, id, parse_hex(build_id, id, sizeof(id))))
        return fd;
    close(fd);
    return -1;
}

struct uvs__elf *uvs__elf_open(const char *path, const char *build_id)
{
    static char *debug_path; // the default: /usr/lib/debug
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                             .find_debuginfo = find_debug_file,
                                             .section_address = dwfl_offline_section_address,
                                             .debuginfo_path = &debug_path};
    int fd = open_recorded(path, build_id);
    struct uvs__elf *elf = fd >= 0 ? calloc(1, sizeof(*elf)) : NULL;
    if (elf && (elf->dwfl = dwfl_begin(&callbacks))) {
        dwfl_report_begin(elf->dwfl);
        elf->module = dwfl_report_offline(elf->dwfl, path, path, fd);
        if (elf->module)
            fd = -1; // libdwfl's now
        dwfl_report_end(elf->dwfl, NULL, NULL);
    }
    if (fd >= 0)
        close(fd);
    if (elf && elf->module && dwfl_module_getelf(elf->module, &elf->bias))
        return elf;
    uvs__elf_close(elf);
    return NULL;
}

void uvs__elf_close(struct uvs__elf *elf)
{
    if (elf && elf->dwfl)
        dwfl_end(elf->dwfl);
    free(elf);
}

static const char *find_symbol(const struct uvs__elf *elf, GElf_Addr address)
{
    GElf_Sym symbol;
    GElf_Off offset;
    const char *name = dwfl_module_addrinfo(elf->module, address, &offset, &symbol, NULL, NULL, NULL);
    return name && (offset == 0 || offset < symbol.st_size) ? name : NULL;
}

// Compilers that write no .debug_aranges (clang) make libdw find nothing: ask every unit.
static bool find_unit(const struct uvs__elf *elf, GElf_Addr address, struct position *ret_position)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = dwfl_module_addrdie(elf->module, address, &bias);
    if (!unit)
        while ((unit = dwfl_module_nextcu(elf->module, unit, &bias)))
            if (dwarf_haspc(unit, address - bias) == 1)
                break;
    if (unit)
        *ret_position = (struct position){unit, address - bias};
    return unit;
}

struct function_search {
    Dwarf_Addr address;
    Dwarf_Die found;
    bool is_found;
};

static int match_function(Dwarf_Die *function, void *data)
{
    struct function_search *search = data;
    if (dwarf_haspc(function, search->address) != 1)
        return DWARF_CB_OK;
    search->found = *function;
    search->is_found = true;
    return DWARF_CB_ABORT;
}

static bool find_function(const struct position *position, Dwarf_Die *ret_function)
{
    struct function_search search = {.address = position->address};
    dwarf_getfuncs(position->unit, match_function, &search, 0);
    *ret_function = search.found;
    return search.is_found;
}

static bool is_function(Dwarf_Die *die)
{
    const int tag = dwarf_tag(die);
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

static bool find_innermost(const struct position *position, Dwarf_Die *ret_function)
{
    Dwarf_Die *scopes = NULL;
    const int count = dwarf_getscopes(position->unit, position->address, &scopes);
    bool found = false;
    for (int i = 0; !found && i < count; i++) {
        found = is_function(&scopes[i]);
        *ret_function = scopes[i];
    }
    free(scopes);
    return found;
}

static const char *name_of(Dwarf_Die *function)
{
    Dwarf_Attribute attribute;
    if (dwarf_attr_integrate(function, DW_AT_linkage_name, &attribute))
        return dwarf_formstring(&attribute);
    return dwarf_diename(function);
}

static void find_line(const struct position *position, struct uvs__elf_place *place)
{
    Dwarf_Line *line = dwarf_getsrc_die(position->unit, position->address);
    if (!line)
        return;
    place->file = dwarf_linesrc(line, NULL, NULL);
    dwarf_lineno(line, &place->line);
}

static void find_declaration(Dwarf_Die *unit, Dwarf_Die *function, struct uvs__elf_place *place)
{
    Dwarf_Attribute attribute;
    if (dwarf_decl_line(function, &place->line) != 0)
        return;
    place->file = dwarf_decl_file(function);
    // File 0 is the unit's own since DWARF 5 (clang writes it); libdw 0.188 takes it for none.
    if (!place->file && dwarf_attr_integrate(function, DW_AT_decl_file, &attribute))
        place->file = dwarf_diename(unit);
}

static void find_call(Dwarf_Die *unit, Dwarf_Die *inlined, struct uvs__elf_place *place)
{
    Dwarf_Attribute attribute;
    Dwarf_Word line, file;
    Dwarf_Files *files;
    size_t file_count;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) == 0 && line <= INT_MAX)
        place->line = (int)line;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
        dwarf_getsrcfiles(unit, &files, &file_count) == 0 && file < file_count)
        place->file = dwarf_filesrc(files, file, NULL, NULL);
}

// From the innermost function outwards, up to the one that is not inlined.
static void find_inliner(Dwarf_Die *unit, Dwarf_Die *innermost, unsigned depth, struct uvs__elf_place *place)
{
    Dwarf_Die *scopes = NULL, inner = *innermost;
    const int count = dwarf_getscopes_die(innermost, &scopes);
    for (int i = 1; i < count && dwarf_tag(&inner) == DW_TAG_inlined_subroutine; i++) {
        if (!is_function(&scopes[i]))
            continue;
        if (--depth == 0) {
            place->function = name_of(&scopes[i]);
            find_call(unit, &inner, place);
            break;
        }
        inner = scopes[i];
    }
    free(scopes);
}

struct uvs__elf_place uvs__elf_find_inliner(struct uvs__elf *elf, uint64_t address, unsigned depth)
{
    struct uvs__elf_place place = {0};
    struct position position;
    Dwarf_Die innermost;
    if (depth > 0 && find_unit(elf, address + elf->bias - 1, &position) &&
        find_innermost(&position, &innermost))
        find_inliner(position.unit, &innermost, depth, &place);
    return place;
}

struct uvs__elf_place uvs__elf_find(struct uvs__elf *elf, uint64_t address, bool is_return)
{
    struct uvs__elf_place place = {0};
    struct position position;
    Dwarf_Die function;
    const GElf_Addr at = address + elf->bias - (is_return ? 1 : 0);
    if (find_unit(elf, at, &position)) {
        const bool found = is_return ? find_innermost(&position, &function)
                                     : find_function(&position, &function);
        if (found)
            place.function = name_of(&function);
        if (found && !is_return)
            find_declaration(position.unit, &function, &place);
        if (!place.file || place.line <= 0)
            find_line(&position, &place);
    }
    if (!place.function)
        place.function = find_symbol(elf, at);
    return place;
}
