# SPDX-License-Identifier: MIT
#
# Nothing is listed here by name: a source file belongs to what is built from the
# directory that it lies in. Everything built goes below build/.

CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
SANITIZE ?=

comma := ,
compiler := $(filter-out gcc,$(notdir $(CC)))
# Each compiler and set of sanitizers has its own tree.
O := build$(addprefix /,$(compiler))$(addprefix /,$(subst $(comma),-,$(SANITIZE)))

CFLAGS := -std=c11 -O2 -g -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes
CFLAGS += -fPIC $(USERCFLAGS)
CPPFLAGS := -D_GNU_SOURCE -Iustack/include -Iustack -MMD -MP
LDLIBS := -lurcu-memb -lpthread
ifneq ($(SANITIZE),)
# Only a fuzz target has libFuzzer's main().
CFLAGS += -fsanitize=$(subst fuzzer,fuzzer-no-link,$(SANITIZE)) -fno-sanitize-recover=all
CFLAGS += -fno-omit-frame-pointer
LDFLAGS += -fsanitize=$(SANITIZE)
else ifeq ($(compiler),)
# A packet crosses a dozen files of small functions. The objects are fat: who
# links libustack.a needs neither this nor gcc.
CFLAGS += -flto=auto -ffat-lto-objects
CFLAGS += -finline-functions --param early-inlining-insns=80
CFLAGS += --param max-inline-insns-auto=100 --param inline-unit-growth=200
# Neighbours stored in one piece and read one by one, or the other way round, wait
# for each other; what gains by vectors is written with them.
CFLAGS += -fno-tree-slp-vectorize
# Or what a function costs hangs on the lengths of those before it.
CFLAGS += -falign-functions=64
LDFLAGS += -O2 -flto=auto
endif

# gcc says that its thread sanitizer does not see fences; what is shared between
# threads is annotated where that matters.
CFLAGS += $(if $(findstring thread,$(SANITIZE)),-Wno-tsan)

ustack := $(wildcard ustack/*.c $(foreach d,wire core link net transport socket,ustack/$(d)/*.c))
tools := $(wildcard tools/*.c)
# A test whose name ends in _tsan is for the thread sanitizer, others for the rest.
tsan := $(wildcard selftests/unit/*_tsan.c)
unit := $(if $(findstring thread,$(SANITIZE)),$(tsan),$(filter-out $(tsan),$(wildcard selftests/unit/*.c)))
fuzz := $(wildcard selftests/fuzz/*.c)

lib_objs := $(ustack:%.c=$(O)/%.o)
tools_lib_objs := $(patsubst %.c,$(O)/%.o,$(wildcard tools/lib/*.c))
programs := $(tools:tools/%.c=$(O)/bin/%)
unit_programs := $(unit:selftests/%.c=$(O)/%)
ubench_objs := $(patsubst %.c,$(O)/%.o,$(wildcard tools/ubench/*.c)) $(O)/tools/lib/pattern.o $(O)/tools/lib/results.o
vbench_objs := $(patsubst %.c,$(O)/%.o,$(wildcard tools/vbench/*.c)) $(tools_lib_objs)
fuzz_programs := $(fuzz:selftests/%.c=$(O)/%)
differential_objs := $(patsubst %.c,$(O)/%.o,$(wildcard selftests/differential/*.c))

.PHONY: all lib unit-programs fuzz-programs ubench module kselftest check demo mutants \
	bench bench-host bench-vm bench-smp bench-two bench-plot bench-compare goodput fairness-plot sim-matrix profile-vm vm-shell vm-run clean help

all: lib $(programs) $(O)/bin/vbench $(O)/bin/differential	## library and tools (CC=clang, SANITIZE=address,undefined ...)
lib: $(O)/libustack.a $(O)/libustack.so	## the stack alone
unit-programs: $(unit_programs)
fuzz-programs: $(fuzz_programs)
ubench: $(O)/bin/ubench	## the benchmark of the stack itself (needs liblwip-dev)

# What ustack.h declares is seen from outside, and nothing else.
$(lib_objs): CFLAGS += -fvisibility=hidden

# The contract with the module is seen where a channel is: nowhere else.
$(O)/ustack/link/netchannel.o: CPPFLAGS += -Iuapi
$(filter $(O)/ustack/link/netchannel%,$(lib_objs)): CPPFLAGS += -Iuapi
$(tools:%.c=$(O)/%.o) $(tools_lib_objs): CPPFLAGS += -Iuapi
$(vbench_objs): CPPFLAGS += -Itools
# ubench compares with what Debian ships; its headers are not held to our warnings.
$(ubench_objs): CPPFLAGS += -Itools -isystem /usr/include/lwip

# The module's two pure headers are tested and fuzzed as user code.
$(O)/selftests/%.o: CPPFLAGS += -Iuapi -Ikmod -Iselftests/unit

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(O)/libustack.a: $(lib_objs)
	rm -f $@
	$(AR) rcs $@ $^

$(O)/libustack.so: $(lib_objs)
	$(CC) $(LDFLAGS) -shared $^ $(LDLIBS) -o $@

define link
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
endef

$(programs): $(O)/bin/%: $(O)/tools/%.o $(tools_lib_objs) $(O)/libustack.a
	$(link)

$(O)/bin/vbench: LDLIBS += -luring
$(O)/bin/vbench: $(vbench_objs) $(O)/libustack.a
	$(link)

$(O)/bin/ubench: LDLIBS += -llwip
$(O)/bin/ubench: $(ubench_objs) $(O)/libustack.a
	$(link)

# What is only tested is linked without it: that takes longer than the tests.
$(unit_programs) $(fuzz_programs) $(O)/bin/differential: LDFLAGS += -fno-lto
$(unit_programs): LDLIBS += -lm
$(unit_programs) $(fuzz_programs): $(O)/%: $(O)/selftests/%.o $(O)/libustack.a
	$(link)

# It runs in a guest, beside the kernel's TCP: selftests/differential.sh.
$(O)/bin/differential: $(differential_objs) $(O)/libustack.a
	$(link)

.SECONDARY:
# Of this tree alone: what lies in another one below it may be half written.
dependencies := $(wildcard $(addprefix $(O)/,ustack tools selftests *.d))
-include $(if $(dependencies),$(shell find $(dependencies) -name '*.d'))

# --- the module: out of tree, a directory for each kernel -----------------------
# TESTS=m: what its tests want in the kernel, too.

ifneq ($(filter vm-% bench bench-vm bench-smp bench-two profile-vm kselftest,$(MAKECMDGOALS)),)
KERNEL ?= 6.1
endif
ifdef KERNEL
# Asked for when it is needed, and once: apt takes a second to answer.
KDIR = $(eval KDIR := $(shell selftests/vm/kernel $(KERNEL) | sed -n 's/^KDIR=//p'))$(KDIR)
else
KDIR ?= /lib/modules/$(shell uname -r)/build
endif
module_dir = $(CURDIR)/build/kmod-$(or $(KERNEL),$(notdir $(KDIR:/build=)))
module_dirs = kmod selftests/modules
module_sources = $(wildcard $(module_dirs:%=%/*.[ch]) $(module_dirs:%=%/Kbuild))

# Kbuild puts objects beside sources, so these are links. What is gone from the
# tree has to go here too.
module:			## the module, for KERNEL=6.1|6.12|debug or a KDIR (C=2: with sparse)
	@[ -d "$(KDIR)" ] || { $(if $(KERNEL),,echo "module: no kernel tree $(KDIR):" \
		"apt-get install linux-headers-$$(uname -r), or give KERNEL=6.1, 6.12 or debug" >&2;) exit 2; }
	@mkdir -p $(module_dirs:%=$(module_dir)/%)
	@ln -sfn $(addprefix $(CURDIR)/,Kbuild uapi) $(module_dir)
	@$(foreach s,$(module_sources),ln -sf $(CURDIR)/$s $(module_dir)/$s;)
	@find $(module_dir) -xtype l -delete
	+flock $(module_dir).lock $(MAKE) -C $(KDIR) M=$(module_dir) W=1 KCFLAGS="-Werror $(USERCFLAGS)" TESTS=$(TESTS) modules
	@ln -sf kmod/netchannel.ko $(module_dir)

# --- kselftest: its own build rules and runner, from Debian's kernel source -----

KSELFTEST = $(shell selftests/vm/kernel source | sed -n 's/^SOURCE=//p')/tools/testing/selftests
installed := $(CURDIR)/build/kselftest.new
kselftest_vars = KSELFTEST=$(KSELFTEST) OUTPUT=$(CURDIR)/build/selftests \
	INSTALL_PATH=$(installed)/netchannel COLLECTION=netchannel

kselftest:		## the kernel tests, installed as kselftest does
	@rm -rf $(installed)
	@mkdir -p $(installed)/kselftest build/selftests
	+$(MAKE) -C selftests $(kselftest_vars) install
	@cp $(addprefix $(KSELFTEST)/kselftest/,runner.sh prefix.pl module.sh) $(installed)/kselftest
	@cp $(KSELFTEST)/run_kselftest.sh $(installed)
	@$(MAKE) -s --no-print-directory -C selftests $(kselftest_vars) emit_tests \
		>$(installed)/kselftest-list.txt
	@rm -rf build/kselftest
	@mv $(installed) build/kselftest

# --- running --------------------------------------------------------------------

check:			## all tests; STAGES="unit uapi" for some of them
	@selftests/host/check $(STAGES)

demo:			## a file through a channel and through the kernel's sockets
	@selftests/demo/run

bench-host: all $(O)/bin/ubench	## how fast the stack is on this machine, beside lwIP and the kernel's sockets
	@mkdir -p build/bench
	$(O)/bin/ubench pipe --results build/bench/results.tsv
	$(O)/bin/ubench idle --budget 512 --results build/bench/results.tsv
	@selftests/bench/host

bench: bench-host bench-vm	## bench-host, then bench-vm

bench-vm: all module kselftest	## what a message costs, in a guest (KERNEL=, WORKLOAD=, VIA=; selftests/bench/vm -h)
	@KERNEL=$(KERNEL) selftests/bench/vm

bench-smp: all module kselftest	## how long it takes between two CPUs (KERNEL=, WORKLOAD=, VIA=, RUNS=; selftests/bench/smp -h)
	@KERNEL=$(KERNEL) selftests/bench/smp

bench-two: all module kselftest	## what a message costs either of two guests, over virtio-net (KERNEL=, RUNS=)
	@KERNEL=$(KERNEL) selftests/bench/two

bench-plot:		## ratios of the last bench-vm as build/bench/ratios.svg (needs gnuplot-nox; KERNEL=)
	@grep -qs '@veth	$(or $(KERNEL),6.1)[.-][^	]*	[^n]' build/bench/results.tsv || { \
		echo "bench-plot: nothing was measured yet: make bench-vm KERNEL=$(or $(KERNEL),6.1)" >&2; exit 2; }
	awk -F '\t' '$$3 ~ /^$(or $(KERNEL),6.1)[.-]/' build/bench/results.tsv | \
		awk -v series=build/bench/ratios.txt -f selftests/bench/table.awk
	gnuplot -e "table='build/bench/ratios.txt'; image='build/bench/ratios.svg'; what='$(or $(KERNEL),6.1)'" \
		selftests/bench/ratios.gnuplot

bench-compare:		## what moved between two tables of results (OLD=, NEW=)
	@selftests/bench/compare "$(OLD)" "$(NEW)"

fairness-plot: $(O)/unit/tcp_fairness	## flows that share a bottleneck, as a picture (needs gnuplot-nox)
	@mkdir -p build/bench
	$< --series build/bench/fairness.tsv
	gnuplot -e "table='build/bench/fairness.tsv'; image='build/bench/fairness.svg'" \
		selftests/unit/tcp_fairness.gnuplot

sim-matrix: $(O)/unit/tcp_sim	## goodput by congestion control, loss and delay, in virtual time
	@mkdir -p build/bench
	$< --matrix build/bench/sim-matrix.tsv

mutants:		## faults put into the code, each to be found by a test
	@selftests/mutants/run

goodput: all		## over lossy paths in a guest, beside the kernel's sockets (KERNEL=, RUNS=)
	@$(MAKE) -s module KERNEL=$(or $(KERNEL),6.1)
	@$(MAKE) -s kselftest
	@selftests/bench/goodput

profile-vm: all module kselftest build/profile.so	## where a message's instructions go, by function (WORKLOAD=, ENDS=, HOOK=; selftests/profile/run -h)
	@KERNEL=$(KERNEL) selftests/profile/run

# Loaded by QEMU.
build/profile.so: selftests/profile/plugin.c
	$(CC) $(CPPFLAGS) $(filter-out -flto%,$(CFLAGS)) -shared $< -o $@

vm-shell: all module kselftest	## a shell in a guest, KERNEL=6.1|6.12|debug
	selftests/vm/run --kernel $(KERNEL) --mode smp --shell

vm-run: all module kselftest	## a command there: make vm-run KERNEL=6.12 CMD='uname -a'
	$(if $(CMD),,$(error vm-run: no command: give CMD='...', as CMD='uname -a'))
	selftests/vm/run --kernel $(KERNEL) --mode smp -- sh -c '$(CMD)'

clean:			## remove build/ (kernels are kept, in the cache)
	rm -rf build

help:			## this list
	@sed -n 's/^\([a-z-]*\):[^#]*##/\1\t/p' Makefile | expand -t 16
