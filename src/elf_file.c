// SPDX-License-Identifier: MIT
// ELF files, through libelf.
#include "elf_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// --- Facts ---

static void read_interpreter(Elf *elf, struct uvs_elf_facts *facts)
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

// The next section of that type after `section`.
static Elf_Scn *next_of_type(Elf *elf, Elf_Scn *section, GElf_Word type, GElf_Shdr *ret_header)
{
    while ((section = elf_nextscn(elf, section))) {
        if (gelf_getshdr(section, ret_header) && ret_header->sh_type == type && ret_header->sh_entsize)
            return section;
    }
    return NULL;
}

static bool defines(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *wanted)
{
    Elf_Data *data = elf_getdata(section, NULL);
    for (size_t i = 0; data && i < header->sh_size / header->sh_entsize; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF)
            continue;
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name && strcmp(name, wanted) == 0)
            return true;
    }
    return false;
}

static bool exports(Elf *elf, const char *name)
{
    GElf_Shdr header;
    Elf_Scn *section = next_of_type(elf, NULL, SHT_DYNSYM, &header);
    return section && defines(elf, section, &header, name);
}

bool uvs__elf_facts(int fd, struct uvs_elf_facts *ret_facts)
{
    *ret_facts = (struct uvs_elf_facts){0};
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    GElf_Ehdr header;
    bool is_elf = elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header);
    if (is_elf) {
        ret_facts->class = gelf_getclass(elf);
        ret_facts->machine = header.e_machine;
        read_interpreter(elf, ret_facts);
        ret_facts->exports_uv_run = exports(elf, "uv_run");
    }
    elf_end(elf);
    return is_elf;
}

bool uvs__elf_own_facts(struct uvs_elf_facts *ret_facts)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool read = uvs__elf_facts(fd, ret_facts);
    close(fd);
    return read;
}

// --- The image ---

bool uvs__elf_map(const char *path, struct uvs_elf_image *ret_image)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return false;
    void *bytes = MAP_FAILED;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return false;
    *ret_image = (struct uvs_elf_image){bytes, (size_t)status.st_size};
    return true;
}

void uvs__elf_unmap(struct uvs_elf_image *image)
{
    if (image->bytes)
        munmap(image->bytes, image->size);
    *image = (struct uvs_elf_image){0};
}

static Elf *begin(const struct uvs_elf_image *image)
{
    elf_version(EV_CURRENT);
    return elf_memory((char *)image->bytes, image->size);
}

// Where the loader would put address `address`, in the file; NULL when nowhere, or not `size` bytes.
static uint8_t *at_address(Elf *elf, const struct uvs_elf_image *image, uint64_t address, uint64_t size)
{
    size_t count = 0;
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD || address < header.p_vaddr ||
            address - header.p_vaddr >= header.p_filesz)
            continue;
        uint64_t offset = header.p_offset + (address - header.p_vaddr);
        return offset < image->size && size <= image->size - offset ? image->bytes + offset : NULL;
    }
    return NULL;
}

static bool read_function(Elf *elf, const struct uvs_elf_image *image, const GElf_Shdr *header,
                          const GElf_Sym *symbol, struct uvs_elf_function *ret_function)
{
    if (symbol->st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol->st_info) != STT_FUNC)
        return false;
    *ret_function = (struct uvs_elf_function){
        .name = elf_strptr(elf, header->sh_link, symbol->st_name),
        .code = at_address(elf, image, symbol->st_value, symbol->st_size),
        .address = symbol->st_value,
        .size = symbol->st_size,
    };
    return ret_function->name && ret_function->code;
}

bool uvs__elf_functions(const struct uvs_elf_image *image, enum uvs_elf_table table,
                        bool (*visit)(const struct uvs_elf_function *function, void *data), void *data)
{
    Elf *elf = begin(image);
    GElf_Shdr header;
    Elf_Scn *section =
        elf ? next_of_type(elf, NULL, table == UVS_ELF_EXPORTED ? SHT_DYNSYM : SHT_SYMTAB, &header) : NULL;
    Elf_Data *symbols = section ? elf_getdata(section, NULL) : NULL;
    bool stopped = false;
    for (size_t i = 0; symbols && !stopped && i < header.sh_size / header.sh_entsize; i++) {
        GElf_Sym symbol;
        struct uvs_elf_function function;
        if (gelf_getsym(symbols, (int)i, &symbol) && read_function(elf, image, &header, &symbol, &function))
            stopped = visit(&function, data);
    }
    elf_end(elf);
    return stopped;
}

struct wanted {
    const char *name;
    struct uvs_elf_function found;
};

static bool is_wanted(const struct uvs_elf_function *function, void *data)
{
    struct wanted *wanted = data;
    if (strcmp(function->name, wanted->name) != 0)
        return false;
    wanted->found = *function;
    return true;
}

bool uvs__elf_function(const struct uvs_elf_image *image, enum uvs_elf_table table, const char *name,
                       struct uvs_elf_function *ret_function)
{
    struct wanted wanted = {.name = name};
    if (!uvs__elf_functions(image, table, is_wanted, &wanted))
        return false;
    *ret_function = wanted.found;
    return true;
}

// --- The build id ---

static bool read_build_id(Elf_Data *notes, char ret_hex[UVS_ELF_BUILD_ID_TEXT])
{
    GElf_Nhdr note;
    size_t name, id;
    for (size_t at = 0; (at = gelf_getnote(notes, at, &note, &name, &id)) > 0;) {
        const char *text = (const char *)notes->d_buf + name;
        const uint8_t *bytes = (const uint8_t *)notes->d_buf + id;
        if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") || memcmp(text, "GNU", 4) != 0 ||
            note.n_descsz == 0 || note.n_descsz > (UVS_ELF_BUILD_ID_TEXT - 1) / 2)
            continue;
        for (size_t i = 0; i < note.n_descsz; i++)
            sprintf(ret_hex + 2 * i, "%02x", bytes[i]);
        return true;
    }
    return false;
}

bool uvs__elf_build_id(const struct uvs_elf_image *image, char ret_hex[UVS_ELF_BUILD_ID_TEXT])
{
    Elf *elf = begin(image);
    size_t count = 0;
    bool found = false;
    if (elf)
        elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count && !found; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_NOTE)
            continue;
        Elf_Data *notes = elf_getdata_rawchunk(elf, (int64_t)header.p_offset, header.p_filesz,
                                               header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
        found = notes && read_build_id(notes, ret_hex);
    }
    elf_end(elf);
    return found;
}

// --- Slots ---

static bool refers_to(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *wanted)
{
    GElf_Shdr symbols_header;
    Elf_Scn *symbols_section = elf_getscn(elf, header->sh_link);
    Elf_Data *rows = elf_getdata(section, NULL);
    Elf_Data *symbols = symbols_section ? elf_getdata(symbols_section, NULL) : NULL;
    if (!rows || !symbols || !gelf_getshdr(symbols_section, &symbols_header))
        return false;
    for (size_t i = 0; i < header->sh_size / header->sh_entsize; i++) {
        GElf_Rela row;
        GElf_Sym symbol;
        if (!gelf_getrela(rows, (int)i, &row) || !gelf_getsym(symbols, (int)GELF_R_SYM(row.r_info), &symbol))
            continue;
        const char *name = elf_strptr(elf, symbols_header.sh_link, symbol.st_name);
        if (name && strcmp(name, wanted) == 0)
            return true;
    }
    return false;
}

bool uvs__elf_has_slot(const struct uvs_elf_image *image, const char *name)
{
    Elf *elf = begin(image);
    GElf_Shdr header;
    bool found = false;
    for (Elf_Scn *section = NULL; elf && !found && (section = next_of_type(elf, section, SHT_RELA, &header));)
        found = refers_to(elf, section, &header, name);
    elf_end(elf);
    return found;
}
