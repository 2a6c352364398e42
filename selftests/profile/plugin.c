// SPDX-License-Identifier: MIT
/*
 * A plugin for QEMU 7.2 that counts the instructions of each translated block while
 * a guest measures: between the marks of tools/lib/mark.h.
 *
 * A block is a straight run of instructions with one entry.  The counter is added to
 * where the block begins, so that the sum is what the clock of an icount guest says,
 * but for blocks that a fault cut short.
 *
 * Blocks of user code are attributed by their bytes: without address space
 * randomisation (norandmaps) all programs lie at the same place, and which process
 * runs is not told to a plugin.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of qemu-plugin.h, version 1, which Debian does not package. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;
enum { QEMU_PLUGIN_CB_NO_REGS = 0 };
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
	void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op,
	void *counter, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
	void (*cb)(unsigned int vcpu, void *data), int flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
	void (*cb)(qemu_plugin_id_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
	size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
	char **argv);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

#define PROGRAMS	8
#define PROGRAM_BASE	0x555555554000u	/* of a PIE, with norandmaps */
#define KERNEL_BASE	(UINT64_C(1) << 63)
#define BUCKETS		65536u

/**
 * struct program - one whose code is known
 * @name: its file.
 * @image: that file, mapped.
 * @size: of it.
 */
struct program {
	const char *name;
	const uint8_t *image;
	size_t size;
};

/**
 * struct block - translations of the same code
 * @next: in its bucket.
 * @address: where it begins; in a program, as the program's file says.
 * @where: "kernel", a program's file, or "other".
 * @now: instructions executed so far.
 * @base: @now when the phase began.
 * @phase: instructions of the phase, up to the last stop in it.
 * @sum: of phases that are over.
 */
struct block {
	struct block *next;
	uint64_t address;
	const char *where;
	uint64_t now;
	uint64_t base;
	uint64_t phase;
	uint64_t sum;
};

static const uint8_t mark_start[] = { 0x0f, 0x1f, 0x80, 1, 0, 0x43, 0x4e };
static const uint8_t mark_stop[] = { 0x0f, 0x1f, 0x80, 2, 0, 0x43, 0x4e };

static struct program programs[PROGRAMS];
static size_t nr_programs;
static const char *out;
static struct block *buckets[BUCKETS];
static bool started, stopped;

static void each_block(void (*function)(struct block *block))
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = buckets[i]; b; b = b->next)
			function(b);
}

static void begin(struct block *block)
{
	block->sum += block->phase;
	block->phase = 0;
	block->base = block->now;
}

static void end(struct block *block)
{
	block->phase = block->now - block->base;
}

/* Both ends of a connection start: the first of them counts. */
static void on_start(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (!started || stopped)
		each_block(begin);
	started = true;
	stopped = false;
}

/* And the last of those that stop. */
static void on_stop(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (!started)
		return;
	each_block(end);
	stopped = true;
}

/* Bytes of the file that lie at a virtual address of executable code, or NULL. */
static const uint8_t *code_at(const struct program *program, uint64_t address,
			      size_t size)
{
	const Elf64_Ehdr *elf = (const void *)program->image;
	const Elf64_Phdr *segment = (const void *)(program->image + elf->e_phoff);

	for (unsigned int i = 0; i < elf->e_phnum; i++, segment++) {
		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) ||
		    address < segment->p_vaddr ||
		    address + size > segment->p_vaddr + segment->p_filesz)
			continue;
		return program->image + segment->p_offset + address - segment->p_vaddr;
	}
	return NULL;
}

static bool is_of(const struct program *program, const struct qemu_plugin_tb *tb)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		size_t size = qemu_plugin_insn_size(insn);
		const uint8_t *code = code_at(program, qemu_plugin_insn_vaddr(insn) -
					      PROGRAM_BASE, size);

		if (!code || memcmp(code, qemu_plugin_insn_data(insn), size))
			return false;
	}
	return true;
}

static const char *place(const struct qemu_plugin_tb *tb, uint64_t *address)
{
	if (*address >= KERNEL_BASE)
		return "kernel";
	for (size_t i = 0; i < nr_programs; i++)
		if (is_of(&programs[i], tb)) {
			*address -= PROGRAM_BASE;
			return programs[i].name;
		}
	return "other";
}

static struct block *find_block(const struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	const char *where = place(tb, &address);
	struct block **bucket = &buckets[address / 2 % BUCKETS], *b;

	for (b = *bucket; b; b = b->next)
		if (b->address == address && b->where == where)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->address = address;
	b->where = where;
	b->next = *bucket;
	*bucket = b;
	return b;
}

static bool insn_is(const struct qemu_plugin_insn *insn, const uint8_t *bytes,
		    size_t size)
{
	return qemu_plugin_insn_size(insn) == size &&
	       !memcmp(qemu_plugin_insn_data(insn), bytes, size);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 &find_block(tb)->now, count);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (insn_is(insn, mark_start, sizeof(mark_start)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_start,
				QEMU_PLUGIN_CB_NO_REGS, NULL);
		else if (insn_is(insn, mark_stop, sizeof(mark_stop)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_stop,
				QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

/* A row for each block: where, address, instructions. */
static void write_rows(qemu_plugin_id_t id, void *data)
{
	FILE *file = fopen(out, "w");

	(void)id;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct block *b = buckets[i]; b; b = b->next)
			if (b->sum + b->phase)
				fprintf(file, "%s %016jx %ju\n", b->where,
					(uintmax_t)b->address,
					(uintmax_t)(b->sum + b->phase));
	if (fclose(file))
		perror(out);
}

static int add_program(const char *name)
{
	struct stat stat;
	int fd = open(name, O_RDONLY);
	void *image;

	if (nr_programs == PROGRAMS || fd < 0 || fstat(fd, &stat))
		return -1;
	image = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (image == MAP_FAILED || stat.st_size < (off_t)sizeof(Elf64_Ehdr) ||
	    memcmp(image, ELFMAG, SELFMAG))
		return -1;
	programs[nr_programs++] = (struct program) { name, image, stat.st_size };
	return 0;
}

/* Arguments: out=FILE, program=FILE for each that is to be known. */
__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4)) {
			out = strdup(argv[i] + 4);
		} else if (strncmp(argv[i], "program=", 8) ||
			   add_program(strdup(argv[i] + 8))) {
			fprintf(stderr, "profile: %s: no such argument or program\n", argv[i]);
			return -1;
		}
	}
	if (!out) {
		fprintf(stderr, "profile: out=FILE is missing\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, write_rows, NULL);
	return 0;
}
