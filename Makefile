# fas: builds the PostgreSQL extension with PGXS, and drives tests, demo and benchmarks.
#
#   make, make install, make installcheck     as with every PGXS extension; PG_CONFIG=, DESTDIR= and VPATH builds work
#   make test, demo, demo-stop, bench, ...    see `make help`; they install what is missing by scripts/install-deps
#
# The list of core sources is src/core/sources.txt; CMakeLists.txt reads the same file.

srcdir := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))

# These goals need no pg_config yet (the first thing that most of them do is to install it).
house_goals = help deps test demo demo-stop bench bench-peers bench-flat bench-rest format format-check tidy fuzz rest rest-stop rest-show

ifneq ($(strip $(if $(MAKECMDGOALS),$(filter-out $(house_goals),$(MAKECMDGOALS)),all)),)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(wildcard $(PGXS)),)
$(error $(PG_CONFIG) is not there or knows no PGXS: install PostgreSQL's server headers (make deps), or set PG_CONFIG=/path/to/pg_config)
endif

MODULE_big = fas
EXTENSION = fas
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(srcdir)/fas.control)
SQL_PIECES := $(sort $(wildcard $(srcdir)/src/sql/*.sql))
DATA = $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/sql/upgrade/fas--*--*.sql))
DATA_built = fas--$(EXTVERSION).sql

CORE_SOURCES := $(addprefix src/core/,$(shell sed 's/\#.*//' $(srcdir)/src/core/sources.txt))
PG_SOURCES := $(sort $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/pg/*.cc)))
OBJS = $(CORE_SOURCES:.cc=.o) $(PG_SOURCES:.cc=.o)

# libroaring is not linked: src/pg/roaring_binding.cc opens it privately, because another extension in the same
# backend may bring a CRoaring of its own.
PG_CPPFLAGS = -I$(srcdir)/src
# NDEBUG: the core's assertions are for its own tests; a backend must not abort.
PG_CXXFLAGS = -std=c++20 -DNDEBUG -Wall -Wextra -fvisibility=hidden -fvisibility-inlines-hidden -fno-gnu-unique \
	-fno-semantic-interposition $(if $(WERROR),-Werror) -MMD -MP
SHLIB_LINK = -Wl,--version-script=fas.map -lsimdjson -ldl

# LLVM bitcode would need clang, and PostgreSQL's JIT gains nothing from inlining these functions.
override with_llvm = no

REGRESS = $(sort $(patsubst $(srcdir)/sql/%.sql,%,$(wildcard $(srcdir)/sql/*.sql)))
REGRESS_OPTS = --encoding=UTF8
ISOLATION = $(sort $(patsubst $(srcdir)/test/isolation/specs/%.spec,%,$(wildcard $(srcdir)/test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --load-extension=fas
# PostgreSQL's TAP harness starts servers, which root may not.
ifneq ($(shell id -u),0)
TAP_TESTS = $(if $(wildcard $(srcdir)/test/tap/*.pl),1)
PROVE_TESTS = $(srcdir)/test/tap/*.pl
endif

EXTRA_CLEAN = $(OBJS:.o=.d) fas.map fas.parts $(wildcard fas--*.sql) build compile_commands.json results output_iso \
	regression.diffs regression.out tmp_check log

include $(PGXS)

# PostgreSQL's headers are not ours to warn about (gcc ignores -I for a directory that -isystem names too).
override CPPFLAGS += -isystem $(includedir_server)
# Link as C++, with the flags that the objects were compiled with.
COMPILER = $(CXX) $(CXXFLAGS)

# PGXS makes no directories for objects in a build outside of the source tree.
$(OBJS): %.o: %.cc
	@$(MKDIR_P) $(@D)
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -c -o $@ $<

# A source that was removed must make fas.so and the script anew, too: fas.parts changes with the lists of parts.
ifneq ($(file <fas.parts),$(strip $(OBJS) $(SQL_PIECES)))
$(file >fas.parts,$(strip $(OBJS) $(SQL_PIECES)))
endif

# Only what SQL calls is exported: every function with a pg_finfo_ record, the magic block, and _PG_init. Everything
# else, C++ template instantiations included, stays local, so that no other module can bind to it.
fas.map: $(OBJS) fas.parts
	@{ echo '{ global:'; \
	   nm $(OBJS) | sed -n 's/^[0-9a-f]* T \(pg_finfo_\(.*\)\)$$/    \1; \2;/p; s/^[0-9a-f]* T \(Pg_magic_func\|_PG_init\)$$/    \1;/p' \
	     | LC_ALL=C sort -u; \
	   echo '  local: *; };'; } > $@.new && mv $@.new $@
$(shlib): fas.map

fas--$(EXTVERSION).sql: $(SQL_PIECES) $(srcdir)/fas.control fas.parts
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION fas" to load this file. \quit'; cat $(SQL_PIECES); } > $@.new && mv $@.new $@

# build/ knows where private clusters are, so they go before it goes.
clean: stop-clusters
.PHONY: stop-clusters
stop-clusters:
	@if [ -d build/cluster ]; then $(srcdir)/scripts/cluster stop --all; fi

-include $(OBJS:.o=.d)

endif

.PHONY: $(house_goals)

help:
	@echo 'make                  build fas.so and the extension script'
	@echo 'make install          install them where pg_config says (PG_CONFIG=, DESTDIR=)'
	@echo 'make installcheck     run the SQL tests against the running server that they are installed in'
	@echo 'make deps             install what building and testing need (scripts/install-deps)'
	@echo 'make test             everything, in a private cluster: unit, SQL, isolation, TAP, REST tests'
	@echo 'make demo, demo-stop  a private cluster with flows in it to look at; stop it again'
	@echo 'make rest             PostgREST and nginx for the database of PGHOST, PGPORT, PGDATABASE; rest-stop, rest-show;'
	@echo '                      options of rest/service: make rest REST="anon=all port=9527"'
	@echo 'make bench            benchmarks, against tables of PostgreSQL'
	@echo 'make bench-peers      the same, and against DuckDB and ClickHouse, which it fetches'
	@echo 'make bench-flat       whether it stays as quick with 100 million flows, under load, for long; takes an hour'
	@echo 'make bench-rest       the REST service beside libpq, and under load with restarts and kill -9; two minutes'
	@echo 'make fuzz             each fuzz target for FUZZ_SECONDS (60)'
	@echo 'make format, tidy     clang-format in place; clang-tidy'
	@echo 'make clean            remove everything that was built'

deps:
	@$(srcdir)/scripts/install-deps

test:
	@$(srcdir)/scripts/test

demo:
	@$(srcdir)/scripts/demo

demo-stop:
	@$(srcdir)/scripts/demo-stop

rest:
	@$(srcdir)/rest/service start $(REST)

rest-stop:
	@$(srcdir)/rest/service stop $(REST)

rest-show:
	@$(srcdir)/rest/service show $(REST)

bench:
	@$(srcdir)/bench/run

bench-peers:
	@$(srcdir)/bench/run --peers

bench-flat:
	@$(srcdir)/bench/run-flat

bench-rest:
	@$(srcdir)/bench/rest/run

format:
	@$(srcdir)/scripts/format

format-check:
	@$(srcdir)/scripts/format --check

tidy:
	@$(srcdir)/scripts/tidy

fuzz:
	@$(srcdir)/scripts/fuzz
