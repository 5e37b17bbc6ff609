# shellcheck shell=sh disable=SC2034
# Sourced by the scripts of this folder, in the guest: a host that is told what to do (nvmed-bench drive), what its
# controller must answer, and what the controller must have counted.
. ./daemon.sh
set -u

failures=0
entries=0 # of the error log, and media errors, that the controller must have counted since the host connected
media=0

say() { echo "$(cut -d ' ' -f 1 /proc/uptime) $*"; }
fail() {
  failures=$((failures + 1))
  say "FAIL: $*"
}

# table NAME LINES: another table for a device, at once for what is in flight and all that follows
table() {
  printf '%b\n' "$2" | dmsetup reload "$1" || exit 1
  dmsetup suspend --nolockfs "$1" && dmsetup resume "$1" || exit 1
}

# connect SOCKET: a host of a controller, which tell talks to from then on
connect() {
  rm -f to from
  mkfifo to from
  nvmed-bench drive --socket "$1" <to >from &
  driver=$!
  exec 3>to 4<from
  entries=0 media=0
}
disconnect() {
  exec 3>&- 4<&-
  wait "$driver"
}

# tell REQUEST: its answer is in $answer; what it says of errors is counted
tell() {
  echo "$1" >&3
  answer='no answer'
  read -r answer <&4
  case $1 in log*) return ;; esac
  left="$answer, "
  while [ -n "$left" ]; do
    case $left in
      0/00*) ;;
      2/*) entries=$((entries + 1)) media=$((media + 1)) ;;
      [0-9]/*) entries=$((entries + 1)) ;;
    esac
    left=${left#*, }
  done
}

# expect REQUEST ANSWER...: one of these
expect() {
  request=$1
  shift
  tell "$request"
  for wanted in "$@"; do [ "$answer" != "$wanted" ] || return 0; done
  fail "$request: $answer; expected: $*"
}

# lost: a flush says that an earlier one failed, which is one error of the medium and not two
lost() {
  expect flush 2/80
  media=$((media - 1))
}

# counted WARNING: the error log and SMART have every error that was answered, and none beside; the critical warning
counted() { expect errors "entries $entries media $media warning $1"; }

# require WHAT COMMAND...: it succeeds
require() {
  what=$1
  shift
  "$@" >output 2>&1 || fail "$what: $(cat output)"
}

# close_lost NAME PATH: namespace 1 goes, and its image, of which a flush failed, is closed; the operator is told
close_lost() {
  ctl namespace remove "$1" 1 >output 2>&1 && fail "a lost flush of $2 is not told"
  grep -q "is removed, but $2 cannot be flushed" output || fail "ctl namespace remove: $(cat output)"
}

# well VERSION: the controller of the disk that is well serves its guest
well() {
  answers=$(printf 'write 0 8 %s\nflush\nzero 8 8\nread 0 8\n' "$1" | nvmed-bench drive --socket well.sock | tr '\n' ' ')
  [ "$answers" = "0/00 0/00 0/00 0/00 $1 " ] || fail "the other disk: $answers"
}
ctl() { nvmed ctl "$@" --socket control; }

# serve: the daemon of nvmed.toml
serve() { start_nvmed --config nvmed.toml || exit 1; }

# finish: the daemon ends in order; the script's status
finish() {
  require "SIGTERM" stop_nvmed
  say "$failures failures"
  [ $failures = 0 ] || {
    cat nvmed.log
    exit 1
  }
}
