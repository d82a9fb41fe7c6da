/*
 * The policies of all live tables, each stored once. They are in chunks that
 * fork does not copy (MADV_DONTFORK in madvise(2)). A keeper, and the script's
 * child in its memory that parses the data of a request, must not have the
 * JailEnv secrets of other sites in its memory. Forking a keeper also stays
 * cheap with 10,000 policies.
 *
 * Runs in:   helper
 * Privilege: root
 * Trusts:    records that jc_policy_check_table() has passed
 * Never:     keeps a pointer into a table
 */
#include "helper.h"
#include "policies.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS    16384u
#define CHUNK_SIZE (JC_POLICY_LEN_MAX + 65536u) /* the longest policy fits */

typedef struct jc_chunk {
    uint32_t refs;
    size_t used;
} chunk_t;

static jc_policy_t *buckets[BUCKETS];
static chunk_t *open_chunk;

static uint64_t hash_of(const void *data, size_t len)
{
    const unsigned char *at = data;
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a; bytes are compared too */

    while (len-- > 0) {
        hash = (hash ^ *at++) * 0x100000001b3u;
    }
    return hash;
}

static chunk_t *chunk_new(void)
{
    chunk_t *chunk = mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (chunk == MAP_FAILED || madvise(chunk, CHUNK_SIZE, MADV_DONTFORK)) {
        jc_log_bug("no memory for the policies");
    }
    chunk->refs = 1; /* for being the open chunk */
    chunk->used = (sizeof(*chunk) + 15) & ~(size_t) 15;
    return chunk;
}

static void chunk_unref(chunk_t *chunk)
{
    if (--chunk->refs == 0) {
        munmap(chunk, CHUNK_SIZE);
    }
}

static jc_policy_t *allocate(size_t len)
{
    size_t need = (offsetof(jc_policy_t, len) + len + 15) & ~(size_t) 15;
    chunk_t *chunk = open_chunk;

    if (!chunk || CHUNK_SIZE - chunk->used < need) {
        if (chunk) {
            chunk_unref(chunk);
        }
        chunk = open_chunk = chunk_new();
    }
    jc_policy_t *policy = (jc_policy_t *) ((char *) chunk + chunk->used);
    chunk->used += need;
    chunk->refs++;
    policy->chunk = chunk;
    return policy;
}

/* Equal parts are stored once, so that their addresses may be compared. */
jc_policy_t *jc_policies_intern(const void *bytes, jc_policy_t *common)
{
    uint32_t len = *(const uint32_t *) bytes;
    uint64_t hash = hash_of(bytes, len);
    jc_policy_t **bucket = &buckets[hash % BUCKETS];
    jc_policy_t *policy;

    for (policy = *bucket; policy; policy = policy->next) {
        if (policy->hash == hash && policy->common == common &&
            policy->len == len && memcmp(&policy->len, bytes, len) == 0) {
            policy->refs++;
            return policy;
        }
    }
    policy = allocate(len);
    policy->common = common;
    if (common) {
        common->refs++;
    }
    policy->hash = hash;
    policy->refs = 1;
    policy->jails = 0;
    memcpy(&policy->len, bytes, len);
    policy->next = *bucket;
    *bucket = policy;
    return policy;
}

void jc_policies_release(jc_policy_t *policy)
{
    jc_policy_t **link = &buckets[policy->hash % BUCKETS];

    if (policy->refs > 0 || policy->jails > 0) {
        return;
    }
    while (*link != policy) {
        link = &(*link)->next;
    }
    *link = policy->next;
    if (policy->common) {
        jc_policies_unref(policy->common);
    }
    chunk_unref(policy->chunk);
}

void jc_policies_unref(jc_policy_t *policy)
{
    policy->refs--;
    jc_policies_release(policy);
}

char *jc_policies_copy(const jc_policy_t *policy, const jc_policy_t *account)
{
    const jc_common_t *common = &policy->common->part;
    size_t len = (size_t) policy->len + common->len;
    char *copy = malloc(len + (account ? account->len : 0));

    if (copy) {
        memcpy(copy, &policy->rec, policy->len);
        memcpy(copy + policy->len, common, common->len);
    }
    if (copy && account) {
        memcpy(copy + len, &account->account, account->len);
    }
    return copy;
}

const void *jc_policies_account_in(const jc_policy_t *policy,
                                   const jc_policy_t *account, const char *copy)
{
    return account ? copy + policy->len + policy->common->part.len : NULL;
}

void jc_policies_wipe(const jc_policy_t *policy, char *copy)
{
    explicit_bzero(copy, (size_t) policy->len + policy->common->part.len);
    free(copy);
}
