# shellcheck shell=bash disable=SC2034
# Sourced by the scripts: messages, what is missing, cleaning up.

PATH=$PATH:/usr/sbin:/sbin # (not in everybody's)
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# on_exit COMMAND [ARGUMENT...]: runs it when the script ends, however it ends; the last one registered first.
exit_commands=()
on_exit() { exit_commands=("$(printf '%q ' "$@")" ${exit_commands[@]+"${exit_commands[@]}"}); }
run_exit_commands() {
  local status=$? command
  trap '' INT TERM HUP
  for command in ${exit_commands[@]+"${exit_commands[@]}"}; do eval "$command" || true; done
  exit "$status"
}
trap run_exit_commands EXIT
trap 'say "${0##*/}: line $LINENO failed: $BASH_COMMAND"' ERR
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# need COMMAND PACKAGE: ends the script if COMMAND is not there.
need() { command -v "$1" >/dev/null || die "needs $1: apt-get install $2"; }

# end PID [SECONDS]: SIGTERM to a child of this shell, SIGKILL if it is still there after SECONDS; gives its exit status.
# Gives the status only, if the child has ended by itself: the number may be another process's by now.
end() {
  local pid=$1 seconds=${2:-10} killer status=0
  if [ "$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)" = "$BASHPID" ]; then
    kill -TERM "$pid"
    # (a read that never gets anything is a sleep without a process that could outlive this one)
    (read -rt "$seconds" <> <(:) || kill -KILL "$pid") 2>/dev/null &
    killer=$!
    wait "$pid" 2>/dev/null || status=$?
    kill -KILL "$killer" 2>/dev/null || true
    wait "$killer" 2>/dev/null || true
  else
    wait "$pid" 2>/dev/null || status=$?
  fi
  return "$status"
}

# install_missing COMMAND-OR-FILE PACKAGE...: pairs; installs the packages of those that are not there, as root on
# Debian and its relatives, or says what to install.
install_missing() {
  local packages=()
  while [ $# -ge 2 ]; do
    [ -e "$1" ] || command -v "$1" >/dev/null || packages+=("$2")
    shift 2
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then die "missing: apt-get install ${packages[*]}"; fi
  say "installing ${packages[*]}"
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${packages[@]}"; } \
    >&2 </dev/null || die "apt-get install ${packages[*]} failed"
}

# need_swift: Swift 6.2 or newer is not in Debian 12, and not installed from here.
need_swift() {
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/^.*Swift version \([0-9]*\.[0-9]*\).*$/\1/p' | head -n 1)
  printf '6.2\n%s\n' "${version:-0}" | sort -V -C || die "needs Swift 6.2 or newer, not ${version:-none}:" \
    "curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz &&" \
    "tar xzf swiftly-$(uname -m).tar.gz && ./swiftly init (see https://www.swift.org/install/linux)"
}

# start_daemon LOG COMMAND [ARGUMENT...]: starts it, its output in LOG; comes back when it says that it is serving, with
# its process id in $daemon, or fails.
start_daemon() {
  local log=$1 lines line
  shift
  rm -f "$log.pipe"
  mkfifo "$log.pipe"
  "$@" >"$log.pipe" 2>&1 </dev/null &
  daemon=$!
  on_exit end "$daemon"
  exec {lines}<"$log.pipe"
  rm "$log.pipe"
  while IFS= read -r -t 30 line <&"$lines"; do
    printf '%s\n' "$line" >>"$log"
    case $line in
      *serving*)
        cat <&"$lines" >>"$log" &
        exec {lines}<&-
        return
        ;;
    esac
  done
  say "$1 does not serve: $(tail -n 20 "$log")"
  return 1
}
