# readback: `make help` lists what can be made. Everything goes under build/.

SAN ?=
comma := ,
BUILD ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
B := $(BUILD)
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
PORT ?= 8080
export PYTHON

# Third-party folders, outside of the tree: see deps/README.md.
FAISS := $(or $(FAISS_PREFIX),$(shell deps/faiss/build.sh --print))
VENV := $(shell tests/venv.sh --print)
EXPORTS_VENV := $(shell tests/venv.sh --print tests/exports)

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

# --- sources: found by wildcard ----------------------------------------------------------------

SRC := $(wildcard src/*.c src/*/*.c index/*.c ingest/*.c datasets/*.c)
MAIN_SRC := $(wildcard src/main.c src/cmd_*.c)
LIB_SRC := $(filter-out $(MAIN_SRC),$(SRC))
obj = $(patsubst %,$(B)/obj/%.o,$(basename $(1)))

# Each test_*.c is a program; the other files of its folder are helpers of all of them.
TEST_DIRS := unit conformance faults
TEST_SRC := $(wildcard $(TEST_DIRS:%=tests/%/*.c))
TEST_MAIN := $(foreach s,$(TEST_SRC),$(if $(filter test_%,$(notdir $(s))),$(s)))
TESTS := $(patsubst %.c,$(B)/%,$(TEST_MAIN))
# Benchmarks and quality measurements: a program a file, built by `make bench`.
BENCH_SRC := $(wildcard tests/bench/*.c tests/quality/*.c)
BENCH := $(patsubst %.c,$(B)/%,$(BENCH_SRC))

# Files that the program carries, as _binary_<path with _>_start and _end.
EMBED := $(wildcard docs/openapi.json)

ALL_C := $(SRC) $(TEST_SRC) $(BENCH_SRC)
ALL_H := $(wildcard src/*.h src/*/*.h index/*.h ingest/*.h datasets/*.h tests/*.h tests/*/*.h)

# --- flags -------------------------------------------------------------------------------------

OPT := $(if $(SAN),-O1,-O2)
# Instrumented code confuses gcc's search for uninitialised variables; the plain build has it.
WARN := -Wall -Wextra -Werror $(if $(SAN),-Wno-maybe-uninitialized)
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CPPFLAGS_ALL = -D_GNU_SOURCE -Isrc -I. -isystem $(FAISS)/include $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(OPT) -g $(WARN) -pthread $(SAN_FLAGS) $(CFLAGS)
LDFLAGS_ALL := -pthread -fopenmp -Wl,--as-needed -L$(FAISS)/lib $(SAN_FLAGS) $(LDFLAGS)
LIBS := -lfaiss_c -lfaiss -lopenblas -ldnnl -lmicrohttpd -lcurl -lz -ljansson -lsqlite3 \
	-lstemmer -lutf8proc -lcmark -lgumbo -lsodium -lcrypto -lstdc++ -lm

# Plain loops over floats: vectorised. They choose by CPU at run time (target attributes), and
# must not rely on NaN or infinity. Nothing of ours is built -march=native.
$(call obj,$(filter %_simd.c %/minilm_math.c,$(SRC))): OPT := -O3 -ffast-math
$(B)/obj/tests/%: CPPFLAGS_ALL += -Itests

# --- what people ask for -----------------------------------------------------------------------

.DELETE_ON_ERROR:
.DEFAULT_GOAL := build
.PHONY: help setup model build run test unit http exports bench bench-peers layers format lint clean FORCE

help:
	@echo "make run        install what is missing, build, import the demo, serve on 127.0.0.1:$(PORT) (PORT=)"
	@echo "make test       install what is missing, build, run all tests      (make unit, make http: a part)"
	@echo "make build      install what is missing, build $(B)/readback"
	@echo "make SAN=address,undefined test      make SAN=thread test      in build folders of their own"
	@echo "make exports    install what reads training sets (once, about 1 GB), and have it read ours"
	@echo "make layers     fail on an #include that goes up"
	@echo "make lint       clang-format and clang-tidy                        (make format: apply the format)"
	@echo "make bench      build the programs of tests/bench and tests/quality"
	@echo "make bench-peers DATA=OUT   measure readback beside other programs (docs/benchmarks.md; PEERS_ARGS=)"
	@echo "make setup      only what is missing    make model: try again to fetch the model"
	@echo "make clean      remove build/; the caches in ~/.cache/readback stay (deps/README.md)"
	@echo "Variables: BUILD SAN PORT CC CFLAGS LDFLAGS FAISS_PREFIX PYTHON PYTEST_ARGS TEST_TIMEOUT"

setup: $(FAISS)/lib/libfaiss.a $(B)/setup/model $(VENV)/complete

build: $(B)/readback $(B)/compile_commands.json | $(B)/setup/model

run: build
	@BIN=$(B)/readback DATA=$(B)/demo-data PORT=$(PORT) datasets/demo/run.sh $(B)/readback $(B)/demo-data

test: build $(TESTS) $(VENV)/complete
	@SAN=$(SAN) VENV=$(VENV) tests/run.sh $(B) --http $(TESTS)

unit: $(TESTS) | $(B)/setup/model
	@SAN=$(SAN) tests/run.sh $(B) $(TESTS)

http: build $(VENV)/complete
	@SAN=$(SAN) VENV=$(VENV) tests/run.sh $(B) --http

exports: build $(EXPORTS_VENV)/complete $(B)/setup/exports
	@READBACK_BIN=$(B)/readback PYTHONDONTWRITEBYTECODE=1 $(EXPORTS_VENV)/bin/pytest -q -rs -s -p no:cacheprovider \
		$(PYTEST_ARGS) tests/exports </dev/null

bench: $(BENCH)

bench-peers: build bench
	@test -n "$(DATA)" || { echo "make bench-peers DATA=OUT: the folder of tests/bench/make_data.py and embed_file" >&2; exit 2; }
	@tests/bench/peers/run.py --data "$(DATA)" --build "$(B)" $(PEERS_ARGS)

layers:
	@tests/layers.sh

format: $(B)/setup/lint
	@clang-format -i $(ALL_C) $(ALL_H)

# One file a process: given more, clang-tidy 14 takes every va_list for uninitialised.
lint: $(B)/setup/lint $(B)/compile_commands.json | $(FAISS)/lib/libfaiss.a
	@echo "clang-format: $(words $(ALL_C) $(ALL_H)) files"
	@clang-format --dry-run -Werror $(ALL_C) $(ALL_H)
	@echo "clang-tidy: $(words $(ALL_C)) files"
	@printf '%s\n' $(ALL_C) | \
		xargs -P $$(nproc) -n 1 clang-tidy --quiet -p $(B) 2>$(B)/tidy.log || { cat $(B)/tidy.log; exit 1; }

clean:
	rm -rf build

# --- set-up: quick when nothing is missing ---------------------------------------------------------

$(B)/setup/packages: deps/apt-packages.txt deps/setup.sh
	@deps/setup.sh $< && mkdir -p $(@D) && touch $@

$(B)/setup/lint: deps/apt-packages-lint.txt deps/setup.sh | $(B)/setup/packages
	@deps/setup.sh $< && mkdir -p $(@D) && touch $@

$(FAISS)/lib/libfaiss.a: | $(B)/setup/packages
	@deps/faiss/build.sh

$(VENV)/complete: | $(B)/setup/packages
	@tests/venv.sh

$(EXPORTS_VENV)/complete: | $(B)/setup/packages
	@tests/venv.sh tests/exports

$(B)/setup/exports: deps/apt-packages-exports.txt deps/setup.sh | $(B)/setup/packages
	@deps/setup.sh $< && mkdir -p $(@D) && touch $@

# Without a model the program runs on words alone, so this is said once and is no failure.
$(B)/setup/model: deps/model/fetch.sh | $(B)/setup/packages
	@deps/model/fetch.sh || echo "deps/model: no model: readback will run on words alone. Try again with \`make model\`."
	@touch $@

model: | $(B)/setup/packages
	@deps/model/fetch.sh

# --- build -------------------------------------------------------------------------------------

$(B)/readback: $(call obj,$(MAIN_SRC)) $(B)/libreadback.a | $(FAISS)/lib/libfaiss.a
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# Made anew each time, so that a source that went away leaves no object behind.
$(B)/libreadback.a: $(call obj,$(LIB_SRC) $(EMBED)) $(B)/sources
	@echo "  AR   $@"
	@rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

.SECONDEXPANSION:
helpers = $(call obj,$(filter-out $(TEST_MAIN),$(filter $(dir $(1))%,$(TEST_SRC))))
$(TESTS) $(BENCH): $(B)/%: $(B)/obj/%.o $$(call helpers,$$*) $(B)/libreadback.a | $(FAISS)/lib/libfaiss.a
	@echo "  LINK $@"
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

compile = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $(B)/obj/$(basename $(1)).o $(1)

$(B)/obj/%.o: %.c Makefile | $(FAISS)/lib/libfaiss.a
	@echo "  CC   $<"
	@mkdir -p $(@D)
	@$(call compile,$<)

$(B)/obj/%.o: %.json | $(B)/setup/packages
	@mkdir -p $(@D)
	@$(LD) -r -b binary -z noexecstack -o $@ $<
	@objcopy --rename-section .data=.rodata,alloc,load,readonly,data,contents $@

# Rewritten only when the list of sources changes.
$(B)/sources: FORCE
	@mkdir -p $(B)
	@echo '$(ALL_C) $(EMBED)' | cmp -s - $@ || echo '$(ALL_C) $(EMBED)' >$@
FORCE:

$(B)/compile_commands.json: Makefile $(B)/sources
	@{ echo '['; comma=; for c in $(ALL_C); do \
		printf '%s{"directory": "%s", "file": "%s", "command": "%s"}\n' "$$comma" "$(CURDIR)" "$$c" \
			"$(CC) $(CPPFLAGS_ALL) -Itests $(CFLAGS_ALL) -c $$c"; comma=,; \
	done; echo ']'; } >$@

-include $(patsubst %.o,%.d,$(call obj,$(ALL_C)))
