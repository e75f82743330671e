// SPDX-License-Identifier: MIT
// The dominant stack of a block: from the outermost function inwards, always to the one that most of the time
// that was sampled went to, as long as at least half of all goes along.
#include "stacks.h"

#include <stdlib.h>
#include <string.h>

#include "saturate.h"
#include "symbols_name.h"

// Stacks beyond the WALKERS_MAX with most time would hardly change what dominates.
enum { NO_MEMORY = -UVS_E_ENVIRONMENT, WALKERS_MAX = 16384 };

// A stack on its way inwards; `at` is the next frame.
struct walker {
    const struct uvs_stack_row *stack;
    uint64_t ns;
    size_t at, order; // order: of those with as much time the first is elected
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

static int compare_texts(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

// 0: the same function. By labels where the name is not known.
static int compare_functions(const struct uvs_site *a, const struct uvs_site *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    if (!a->function || !b->function)
        return a->function == b->function ? strcmp(a->label, b->label)
                                          : compare_texts(a->function, b->function);
    int order = strcmp(a->function, b->function);
    order = order ? order : compare_texts(a->module, b->module);
    return order ? order : compare_texts(a->file, b->file);
}

static int compare_places(const struct uvs_site *a, const struct uvs_site *b)
{
    if (!a || !b || a->address == b->address)
        return 0;
    return a->address < b->address ? -1 : 1;
}

static int by_next(const void *left, const void *right)
{
    const struct walker *a = left, *b = right;
    int order = compare_functions(next_of(a), next_of(b));
    order = order ? order : compare_places(next_of(a), next_of(b));
    return order ? order : (a->order > b->order) - (a->order < b->order);
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

// A function, of it the place with most time.
struct elected {
    const struct uvs_site *site;
    uint64_t votes, place_votes;
    size_t first;
};

static struct elected count_votes(const struct walker *walkers, size_t count)
{
    struct elected elected = {.first = SIZE_MAX};
    uint64_t place_votes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct uvs_site *site = next_of(&walkers[i]);
        const bool is_new = i == 0 || compare_places(next_of(&walkers[i - 1]), site) != 0;
        place_votes = uvs__add(is_new ? 0 : place_votes, walkers[i].ns);
        elected.votes = uvs__add(elected.votes, walkers[i].ns);
        elected.first = walkers[i].order < elected.first ? walkers[i].order : elected.first;
        if (place_votes > elected.place_votes) {
            elected.place_votes = place_votes;
            elected.site = site;
        }
    }
    return elected;
}

static struct elected elect(struct walk *walk)
{
    struct elected best = {.first = SIZE_MAX};
    qsort(walk->walkers, walk->count, sizeof(*walk->walkers), by_next);
    for (size_t i = 0, end; i < walk->count; i = end) {
        const struct walker *walkers = &walk->walkers[i];
        for (end = i + 1;
             end < walk->count && !compare_functions(next_of(walkers), next_of(&walk->walkers[end]));)
            end++;
        const struct elected one = count_votes(walkers, end - i);
        if (one.votes > best.votes || (one.votes == best.votes && one.first < best.first))
            best = one;
    }
    return best;
}

static void follow(struct walk *walk, const struct uvs_site *site)
{
    size_t kept = 0;
    for (size_t i = 0; i < walk->count; i++) {
        if (compare_functions(next_of(&walk->walkers[i]), site) != 0)
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
        drop_ended(walk);
        const struct elected elected = elect(walk);
        if (!elected.site || elected.votes < walk->ns - walk->ns / 2)
            break;
        block->stack[block->stack_count++] = (struct uvs_block_frame){
            .site = (struct uvs_site *)elected.site,
            .share = (double)elected.votes / (double)walk->ns,
            .is_runtime = is_runtime(elected.site, beside_script),
        };
        follow(walk, elected.site);
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

static int by_time(const void *left, const void *right)
{
    const struct walker *a = left, *b = right;
    if (a->ns != b->ns)
        return a->ns > b->ns ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static void begin(struct walk *walk, const struct uvs_report *report, const struct uvs_block *block)
{
    for (size_t i = 0; i < block->stacks_count; i++)
        walk->walkers[i] = (struct walker){
            .stack = &report->stacks[block->stacks[i].index], .ns = block->stacks[i].ns, .order = i};
    walk->count = block->stacks_count;
    if (walk->count > WALKERS_MAX) {
        qsort(walk->walkers, walk->count, sizeof(*walk->walkers), by_time);
        walk->count = WALKERS_MAX;
    }
    for (size_t i = 0; i < walk->count; i++)
        walk->ns = uvs__add(walk->ns, walk->walkers[i].ns);
}

static size_t deepest(const struct walk *walk)
{
    size_t depth = 0;
    for (size_t i = 0; i < walk->count; i++)
        if (walk->walkers[i].stack->frame_count > depth)
            depth = walk->walkers[i].stack->frame_count;
    return depth;
}

int uvs__merge_stacks(const struct uvs_report *report, struct uvs_block *block)
{
    struct walk walk = {.walkers = calloc(block->stacks_count + 1, sizeof(*walk.walkers))};
    if (!walk.walkers)
        return NO_MEMORY;
    begin(&walk, report, block);
    block->stack = calloc(deepest(&walk) + 1, sizeof(*block->stack));
    if (block->stack)
        descend(&walk, block);
    free(walk.walkers);
    return block->stack ? 0 : NO_MEMORY;
}
