# shellcheck shell=bash disable=SC2034
# Sourced by the suites of scripts/bench, which give them as environment: suite, form, rounds, ..., the folder work,
# the file builds (a line LABEL FOLDER for each build that is measured), and bench, the path of nvmed-bench.

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
: "${bench:?is run by scripts/bench}" "${work:?}" "${builds:?}" "${rounds:?}" "${suite:?}" "${form:?}"

# What is measured: $labels, and a folder for each.
labels=()
declare -A folder_of
while read -r label folder; do
  labels+=("$label")
  folder_of[$label]=$folder
done <"$builds"

# placement TEXT: where the threads run, for the result
placement() { printf '%s\n' "$*" >"$work/placement"; }

# parameters NAME VALUE...: a case, as JSON
parameters() {
  local text=''
  while [ $# -ge 2 ]; do
    text+=",\"$1\":\"$2\""
    shift 2
  done
  printf '{%s}' "${text#,}"
}

# record RUNNER LABEL ROUND CASE FILTER <JSON: a measurement; FILTER makes its values of the JSON
record() {
  jq -c --arg runner "$1" --arg build "${2#-}" --argjson round "$3" --argjson case "$4" \
    "{case: \$case, runner: \$runner, round: \$round, values: ($5 | with_entries(select(.value != null)))}
     + (if \$build == \"\" then {} else {build: \$build} end)" >>"$work/runs"
}

# What nvmed-bench io prints, as values of a result.
io_values='{iops, mean_ns: .latency_ns.mean, p50_ns: .latency_ns.p50, p99_ns: .latency_ns.p99,
  p999_ns: .latency_ns["p99.9"], cpu_ns: .daemon_cpu_ns_per_command, switches: .daemon_switches_per_command,
  host_ns: .host_cpu_ns_per_command}'
call_values='{syscalls: .daemon_calls_per_command} + (.daemon_calls | with_entries(.key = "calls_" + .key))'

# fio_values PATTERN: the same of what fio prints
fio_values() {
  local side='write'
  [[ $1 != *read ]] || side='read'
  echo "(if .jobs[0].error != 0 then error(\"fio failed\") else . end) | .jobs[0] | .$side as \$io
    | {iops: \$io.iops, mean_ns: \$io.lat_ns.mean, p50_ns: \$io.clat_ns.percentile[\"50.000000\"],
       p99_ns: \$io.clat_ns.percentile[\"99.000000\"], p999_ns: \$io.clat_ns.percentile[\"99.900000\"],
       cpu_ns: (if \$io.total_ios > 0 then \$io.runtime * 1e6 * (.usr_cpu + .sys_cpu) / 100 / \$io.total_ios else null end)}"
}

# turns ROUND NAME...: the names in an order that differs from round to round, so that a drift favours nobody
turns() {
  local round=$1
  shift
  local start=$(((round - 1) % $#))
  echo "${@:start+1}" "${@:1:start}"
}

# ping_pong ROUND: what two threads take that wake each other, in this round and this placement
ping_pong() {
  "$bench" ping-pong --seconds 0.5 "${@:2}" | record ping-pong - "$1" '{}' '{round_trip_ns: .ns}'
}

# Whether system calls can be counted; in the full form they are in each round, else in the first.
counts_calls=yes
reason=$("$bench" calls --process $$ --seconds 0 2>&1 >/dev/null) || {
  counts_calls=''
  say "system calls: not counted ($reason)"
}
counts_in() { [ -n "$counts_calls" ] && { [ "$form" = full ] || [ "$1" = 1 ]; }; }

# make_image MIB: sets $image to one with data in all of it: a hole or an unwritten extent costs something else
make_image() {
  if [ -z "${image:-}" ]; then
    image=${NVMED_BENCH_DIR:-/var/tmp}/nvmed-bench-$$.img
    on_exit rm -f "$image"
  fi
  [ ! -e "$image" ] || return 0
  say "writing $1 MiB to $image"
  fallocate -l "${1}MiB" "$image"
  dd if=/dev/urandom of="$image" bs=4M count="${1}M" iflag=fullblock,count_bytes conv=notrunc oflag=direct status=none
  sync "$image"
}

# serve LABEL CONFIGURATION LOG: starts that build; its process id is in $daemon
serve() { start_daemon "$3" "${folder_of[$1]}/nvmed" serve --config "$2" || die "nvmed: $(tail -n 3 "$3")"; }
