# make up      install what is missing, build, make the demonstration estate, start Flyball on http://127.0.0.1:8080
# make build   install what is missing and build build/release/flyball
# make test    install what is missing, build and run every test
# make bench   the benchmarks, as ratios against something real in the same run (docs/BENCHMARKS.md)
# A second run does only what changed.
JOBS ?= $(shell nproc)
HOME_DIR ?= $(HOME)/.local/share/flyball
LISTEN ?= 127.0.0.1:8080

.PHONY: up build test bench format clean

up: build
	build/release/flyball up --home '$(HOME_DIR)' --listen '$(LISTEN)' --demo

build:
	@tools/setup build
	@tools/web
	@cmake --preset release -DFLYBALL_TESTS=OFF >/dev/null
	@cmake --build --preset release --target flyball -j $(JOBS)

test:
	@tools/setup test
	@tools/web
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev -j $(JOBS)
	@ctest --preset dev -j $(JOBS)

bench:
	@tools/setup test
	@tools/web
	@cmake --preset release -DFLYBALL_TESTS=OFF -DFLYBALL_BENCH=ON >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@bench/run

format:
	@git ls-files 'src/*.h' 'src/*.cc' 'tests/*.cc' 'fuzz/*.cc' 'bench/*.cc' | xargs -r clang-format-19 -i

clean:
	rm -rf build
