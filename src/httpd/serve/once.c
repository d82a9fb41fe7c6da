/*
 * Remembers what a site's log has already, in memory that all httpd children
 * share: a line that says what a jail takes from a site is for its owner to
 * read once, and not at each request.
 *
 * Runs in:   httpd parent (makes the memory), httpd child
 * Privilege: that of the process
 * Trusts:    nothing in that memory: a compromised httpd child can keep a line
 *            from the log, or make it appear again
 */
#include "once.h"
#include "hooks.h"

#include <sys/mman.h>

struct jc_told {
    uint64_t names; /* variables that are withheld: 64 classes */
    uint64_t codes; /* a bit for each row of codes[] */
    uint64_t calls; /* refused system calls: 64 classes */
};

static const jc_code_t codes[] = {JC_CODE_CLIENT_GONE, JC_CODE_LEFT_BEHIND,
                                  JC_CODE_TMP_SMALL,   JC_CODE_TMP_FILES,
                                  JC_CODE_TMP_FULL,    JC_CODE_SYSLOG_LOST,
                                  JC_CODE_PATH_ABSENT, JC_CODE_NO_TERMINAL};

typedef struct {
    void *start;
    size_t size;
} memory_t;

static apr_status_t unmap(void *data)
{
    const memory_t *memory = data;

    munmap(memory->start, memory->size);
    return APR_SUCCESS;
}

void jc_once_prepare(apr_pool_t *pconf, server_rec *s)
{
    memory_t *memory = apr_pcalloc(pconf, sizeof(*memory));
    struct jc_told *next;

    for (server_rec *at = s; at; at = at->next) {
        memory->size += sizeof(*next);
    }
    memory->start = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory->start == MAP_FAILED) {
        return; /* nothing is reported then */
    }
    apr_pool_cleanup_register(pconf, memory, unmap, apr_pool_cleanup_null);
    next = memory->start;
    for (; s; s = s->next) {
        jc_config_of(s)->told = next++;
    }
}

/* Returns whether a bit is not set yet. */
static int is_new(const uint64_t *told, uint64_t bits)
{
    return (__atomic_load_n(told, __ATOMIC_RELAXED) & bits) != bits;
}

/* Sets the bits. Returns 1, or 0 if another request was faster. */
static int take(uint64_t *told, uint64_t bits)
{
    return is_new(told, bits) &&
           (__atomic_fetch_or(told, bits, __ATOMIC_RELAXED) & bits) != bits;
}

/* Returns 0 for a code that is logged each time. */
static uint64_t bit_of(jc_code_t code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] == code) {
            return UINT64_C(1) << i;
        }
    }
    return 0;
}

int jc_once_names(const jc_server_conf_t *conf, uint64_t bits)
{
    return conf->told && take(&conf->told->names, bits);
}

int jc_once_call(const jc_server_conf_t *conf, uint32_t call)
{
    return conf->told && take(&conf->told->calls, UINT64_C(1) << (call % 64));
}

int jc_once_is_due(const jc_server_conf_t *conf, jc_code_t code)
{
    return conf->told && is_new(&conf->told->codes, bit_of(code));
}

int jc_once_take(const jc_server_conf_t *conf, jc_code_t code)
{
    uint64_t bit = bit_of(code);

    return bit == 0 || (conf->told && take(&conf->told->codes, bit));
}
