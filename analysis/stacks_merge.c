// SPDX-License-Identifier: MIT
// The dominant stack of a block: from the outermost function inwards, always to the one that most of the time
// that was sampled went to, as long as at least half of all goes along.
#include "stacks.h"

#include <stdlib.h>
#include <string.h>

#include "saturate.h"
#include "symbols_name.h"

// Stacks beyond the first WALKERS_MAX different ones of a very long block would not change what dominates it.
enum { NO_MEMORY = -UVS_E_ENVIRONMENT, WALKERS_MAX = 512 };

// A stack on its way inwards; `at` is the next frame.
struct walker {
    const struct uvs_stack_row *stack;
    uint64_t ns;
    size_t at;
};

struct walk {
    struct walker *walkers;
    size_t count;
    uint64_t ns;
};

// --- Whose code it is ---

static bool begins_with(const char *text, const char *prefix)
{
    return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_script(const struct uvs_site *site)
{
    return site && site->module && strcmp(site->module, "js") == 0;
}

bool uvs__is_own_script(const struct uvs_site *site)
{
    return is_script(site) && site->file && !begins_with(site->file, "node:");
}

static bool has_script(const struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++)
        for (size_t j = 0; j < walk->walkers[i].stack->frame_count; j++)
            if (is_script(walk->walkers[i].stack->frames[j]))
                return true;
    return false;
}

// Beside a script everything in an executable is its machinery.
static bool is_runtime(const struct uvs_site *site, bool beside_script)
{
    static const char *const libraries[] = {"libc.so",     "libc-",      "ld-linux", "libuv.so", "libuvscope",
                                            "libpthread.", "libstdc++.", "libgcc_s", "[vdso]"};
    if (!site || (!site->module && !site->function))
        return true;
    if (is_script(site))
        return !uvs__is_own_script(site);
    if (begins_with(site->function, "uv_") || begins_with(site->function, "_start"))
        return true;
    const char *name = site->module ? uvs__basename(site->module) : "";
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        if (begins_with(name, libraries[i]))
            return true;
    return beside_script && !strstr(name, ".node") && !strstr(name, ".so");
}

// --- The walk ---

static const struct uvs_site *next_of(const struct walker *walker)
{
    return walker->stack->frames[walker->stack->frame_count - 1 - walker->at];
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_function(const struct uvs_site *a, const struct uvs_site *b)
{
    if (!a || !b || !a->function || !b->function)
        return a && b && strcmp(a->label, b->label) == 0;
    return strcmp(a->function, b->function) == 0 && is_same_text(a->module, b->module) &&
           is_same_text(a->file, b->file);
}

static uint64_t votes_for(const struct walk *walk, const struct uvs_site *site, bool exactly)
{
    uint64_t votes = 0;
    for (size_t i = 0; i < walk->count; i++) {
        const struct uvs_site *other = next_of(&walk->walkers[i]);
        if (exactly ? other == site : is_same_function(other, site))
            votes = uvs__add(votes, walk->walkers[i].ns);
    }
    return votes;
}

// The stacks that end here drop out.
static void drop_ended(struct walk *walk)
{
    size_t kept = 0;
    for (size_t i = 0; i < walk->count; i++)
        if (walk->walkers[i].at < walk->walkers[i].stack->frame_count)
            walk->walkers[kept++] = walk->walkers[i];
    walk->count = kept;
}

static const struct uvs_site *elect(const struct walk *walk, uint64_t *ret_votes)
{
    const struct uvs_site *best = NULL;
    uint64_t best_exact = 0;
    *ret_votes = 0;
    for (size_t i = 0; i < walk->count; i++) {
        const struct uvs_site *site = next_of(&walk->walkers[i]);
        const uint64_t votes = votes_for(walk, site, false), exact = votes_for(walk, site, true);
        if (votes > *ret_votes || (votes == *ret_votes && exact > best_exact)) {
            best = site;
            best_exact = exact;
            *ret_votes = votes;
        }
    }
    return best;
}

static void follow(struct walk *walk, const struct uvs_site *site)
{
    size_t kept = 0;
    for (size_t i = 0; i < walk->count; i++) {
        if (!is_same_function(next_of(&walk->walkers[i]), site))
            continue;
        walk->walkers[kept] = walk->walkers[i];
        walk->walkers[kept++].at++;
    }
    walk->count = kept;
}

static void reverse(struct uvs_block_frame *frames, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        const struct uvs_block_frame frame = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = frame;
    }
}

static void descend(struct walk *walk, struct uvs_block *block)
{
    const bool beside_script = has_script(walk);
    for (;;) {
        uint64_t votes;
        drop_ended(walk);
        const struct uvs_site *site = elect(walk, &votes);
        if (!site || votes < walk->ns - walk->ns / 2)
            break;
        block->stack[block->stack_count++] = (struct uvs_block_frame){
            .site = (struct uvs_site *)site,
            .share = (double)votes / (double)walk->ns,
            .is_runtime = is_runtime(site, beside_script),
        };
        follow(walk, site);
    }
    reverse(block->stack, block->stack_count);
}

const struct uvs_site *uvs_block_script(const struct uvs_block *block)
{
    for (size_t i = 0; i < block->stack_count; i++)
        if (is_script(block->stack[i].site) && !block->stack[i].is_runtime)
            return block->stack[i].site;
    return NULL;
}

int uvs__merge_stacks(const struct uvs_report *report, struct uvs_block *block)
{
    struct walk walk = {0};
    const size_t count = block->stacks_count < WALKERS_MAX ? block->stacks_count : WALKERS_MAX;
    size_t deepest = 0;
    walk.walkers = calloc(count + 1, sizeof(*walk.walkers));
    for (size_t i = 0; walk.walkers && i < count; i++) {
        const struct uvs_stack_row *stack = &report->stacks[block->stacks[i].index];
        walk.walkers[walk.count++] = (struct walker){stack, block->stacks[i].ns, 0};
        walk.ns = uvs__add(walk.ns, block->stacks[i].ns);
        deepest = stack->frame_count > deepest ? stack->frame_count : deepest;
    }
    block->stack = calloc(deepest + 1, sizeof(*block->stack));
    const bool complete = walk.walkers && block->stack;
    if (complete)
        descend(&walk, block);
    free(walk.walkers);
    return complete ? 0 : NO_MEMORY;
}
