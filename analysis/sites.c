// SPDX-License-Identifier: MIT
// The sites of a report: each address that is shown, resolved once.
#include "analysis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_MEMORY = -UVS_E_ENVIRONMENT };

// A name may have any length, and stands in many rows and sentences: of a longer one begin and end are kept.
enum { LONGEST_NAME = 1000, END_KEPT = 200 };

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static int copy_text(const char *text, const char **ret_copy)
{
    char *copy = NULL;
    size_t length = text ? strlen(text) : 0;
    if (length > LONGEST_NAME) {
        const char *end = text + length - END_KEPT;
        int begin = LONGEST_NAME - END_KEPT;
        while (begin && continues_character(text[begin]))
            begin--;
        while (continues_character(*end))
            end++;
        if (asprintf(&copy, "%.*s…%s", begin, text, end) < 0)
            copy = NULL;
    } else if (text) {
        copy = strdup(text);
    }
    *ret_copy = copy;
    return text && !copy ? NO_MEMORY : 0;
}

static struct uvs_site *copy_site(const struct uvs_site *from)
{
    struct uvs_site *site = calloc(1, sizeof(*site));
    if (!site)
        return NULL;
    site->address = from->address;
    site->line = from->line;
    int failed = copy_text(from->function, &site->function);
    failed |= copy_text(from->module, &site->module);
    failed |= copy_text(from->file, &site->file);
    failed |= copy_text(from->label, &site->label);
    if (!failed)
        return site;
    uvs__site_destroy(site);
    return NULL;
}

// What lies before an address is meant by a return address: the call.
static bool is_return(const struct uvs__who *who)
{
    return who->role == UVS__SYNC_CALL || who->role == UVS__FRAME;
}

// Of a frame that was interrupted, the instruction there is meant, as if it were the call.
static uint64_t address_of(const struct uvs__who *who)
{
    return who->address + (who->role == UVS__FRAME && who->kind == UVS__FRAME_PLACE);
}

// NULL without memory.
static struct uvs_site *own_site(struct uvs__output *output, const struct uvs_site *resolved)
{
    struct uvs_report *report = output->report;
    struct uvs_site **sites = uvs__grow(report->sites, report->site_count, &output->site_capacity,
                                        sizeof(struct uvs_site *));
    if (!sites)
        return NULL;
    report->sites = sites;
    struct uvs_site *site = copy_site(resolved);
    if (site)
        sites[report->site_count++] = site;
    return site;
}

static int add_inliners(struct uvs__output *output, const struct uvs__who *who, struct uvs_site *site)
{
    struct uvs_site resolved;
    for (unsigned depth = 1; site && uvs_symbols_resolve_inliner(output->symbols, who->process->pid,
                                                                 address_of(who), depth, &resolved);
         depth++)
        site = site->inliner = own_site(output, &resolved);
    return site ? 0 : NO_MEMORY;
}

static int add_site(struct uvs__output *output, const struct uvs__who *who, uint64_t owner,
                    struct uvs_site **ret_site)
{
    struct uvs_site resolved;
    uvs_symbols_resolve(output->symbols, who->process->pid, address_of(who), is_return(who), &resolved);
    if (!resolved.function && address_of(who) != who->address)
        uvs_symbols_resolve(output->symbols, who->process->pid, who->address, false, &resolved);
    struct uvs_site *site = own_site(output, &resolved);
    if (!site)
        return NO_MEMORY;
    *ret_site = site;
    if (who->role == UVS__FRAME && add_inliners(output, who, site))
        return NO_MEMORY;
    return uvs__map_put(&output->sites, owner, address_of(who), site);
}

int uvs__site_of(struct uvs__output *output, uint32_t index, struct uvs_site **ret_site)
{
    const struct uvs__who *who = output->spans->whos[index];
    const unsigned way = who->role == UVS__FRAME ? 2 : is_return(who); // in which the address is looked up
    uint64_t owner = (uint64_t)who->process->index << 2 | way;
    if (who->address == 0) {
        *ret_site = NULL;
        return 0;
    }
    *ret_site = uvs__map_get(&output->sites, owner, address_of(who));
    return *ret_site ? 0 : add_site(output, who, owner, ret_site);
}

int uvs__compare_sites(const struct uvs_site *a, const struct uvs_site *b)
{
    if (!a || !b)
        return (a == NULL) - (b == NULL);
    int order = strcmp(a->label, b->label);
    return order ? order : (a->address > b->address) - (a->address < b->address);
}
