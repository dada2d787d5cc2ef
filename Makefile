# The seconds are those of a machine with 2 cores and warm caches. On a fresh one
# everything is compiled first, golangci-lint too: five to ten minutes in all.
# What the race detector leaves alone, as it takes most of the time there and looks at
# nothing that we wrote: SQLite itself, C made Go, whose memory is outside the heap that
# it watches, and wazero's compiler, each of whose runs works on what it made itself.
UNWATCHED = modernc.org/sqlite/lib $(addprefix github.com/tetratelabs/wazero/internal/engine/wazevo/,backend/... frontend/... ssa/...)
LINT = go tool -modfile=tools/go.mod golangci-lint

all: fmt vet lint race ## the whole loop: 60 s
fmt: ; @test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these'; exit 1; } ## 1 s
vet: ; go vet ./... ## 5 s
lint: ; $(LINT) run ./... ## 20 s
test: ; go test ./... ## 20 s
race: ; go test -race -short -vet=off -timeout 20m $(UNWATCHED:%=-gcflags=%=-race=false) ./... ## random tests draw a fifth
bench: ; go test -run '^$$' -bench 'Read|Import|Views' -benchtime 5x ./adapters/xes ./cmd/alur && go test -run '^$$' -bench 'Reactor|Forward' -benchtime 5000x ./adapters/bus/... && go test -run '^$$' -bench 'Fire|Decode|DecidePBG' -benchtime 3s ./workflows ./domain && go test -run '^$$' -bench 'Inbox|Queue' -benchtime 1x -timeout 20m -v ./projections && GOGC=300 go test -run '^$$' -bench 'Stores|Terms|Rebuild' -benchtime 1x -timeout 60m ./cmd/alur ## 10 min, and the sweeps
fuzz: ; for f in FuzzRead FuzzCheck FuzzCondition; do go test -run "^$$" -fuzz "^$$f$$" -fuzztime 60s -fuzzminimizetime 10x ./workflows || exit 1; done ## 180 s
soak: ; ALUR_SOAK_ROUNDS=100 go test -count 1 -timeout 90m -run KillOfEitherNode -v ./cmd/alur && ALUR_SOAK_ROUNDS=50 go test -count 1 -timeout 60m -run Kill -skip KillOfEitherNode -v ./cmd/alur && ALUR_SOAK_ROUNDS=200 go test -count 1 -timeout 120m ./adapters/sqlite ./adapters/postgres ./adapters/eventstoredb && ALUR_SOAK_ROUNDS=1 go test -count 1 -timeout 60m ./adapters/bus && go test -count 1 -timeout 60m ./projections ./domain ./workflows ./workflows/digit ./workflows/discovery -rapid.checks=5000 && ALUR_MUTANTS=all go test -count=1 -timeout 60m -run Mutants ./workflows/catalogue ## 10 s for each kill of a node, and the rest
.PHONY: all fmt vet lint test race bench fuzz soak
