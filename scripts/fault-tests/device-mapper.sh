#!/bin/sh
# Run by scripts/fault-test in a guest: nvmed on a disk that device mapper makes fail, driven by nvmed-bench drive.
# Prints a line for each step; status 1 where an answer was another one than expected.
# shellcheck disable=SC2034
. ./daemon.sh
set -u

disk=/dev/nvme0n1
sectors=131072 # 64 MiB of 512 bytes
failures=0

say() { echo "$(cut -d ' ' -f 1 /proc/uptime) $*"; }

# table LINES: another table for the disk, at once for what is in flight and all that follows
table() {
  printf '%b\n' "$1" | dmsetup reload failing || exit 1
  dmsetup suspend --nolockfs failing && dmsetup resume failing || exit 1
}
whole="0 $sectors linear $disk 0"

# connect: a host of the failing disk's controller, which tell talks to
connect() {
  rm -f to from
  mkfifo to from
  nvmed-bench drive --socket failing.sock <to >from &
  driver=$!
  exec 3>to 4<from
}
disconnect() {
  exec 3>&- 4<&-
  wait "$driver"
}

# tell REQUEST: its answer is in $answer
tell() {
  echo "$1" >&3
  answer='no answer'
  read -r answer <&4
}

# expect REQUEST ANSWER...: one of these
expect() {
  request=$1
  shift
  tell "$request"
  for wanted in "$@"; do [ "$answer" != "$wanted" ] || return 0; done
  failures=$((failures + 1))
  say "FAIL: $request: $answer; expected: $*"
}

# require WHAT COMMAND...: it succeeds
require() {
  what=$1
  shift
  "$@" >output 2>&1 && return
  failures=$((failures + 1))
  say "FAIL: $what: $(cat output)"
}

# well: the controller of the disk that is well serves its guest
well() {
  answers=$(printf 'write 0 8 %s\nflush\nzero 8 8\nread 0 8\n' "$1" | nvmed-bench drive --socket well.sock | tr '\n' ' ')
  [ "$answers" = "0/00 0/00 0/00 0/00 $1 " ] && return
  failures=$((failures + 1))
  say "FAIL: the other disk: $answers"
}
ctl() { nvmed ctl "$@" --socket control; }

serve() {
  start_nvmed --config nvmed.toml || exit 1
  connect
}
stop() {
  disconnect
  require "SIGTERM" stop_nvmed
}

load_modules || exit 1
dmsetup create failing --table "$whole" || exit 1
cat >nvmed.toml <<END
[daemon]
control_socket = "control"
[[controller]]
name = "failing"
socket = "failing.sock"
[[controller.namespace]]
image = "/dev/mapper/failing"
[[controller]]
name = "well"
socket = "well.sock"
[[controller.namespace]]
image = "/dev/nvme1n1"
END
serve

say "dm-error over a part"
expect 'write 0 64 1' 0/00
expect 'write 65520 64 1' 0/00
expect flush 0/00
table "0 65536 linear $disk 0\n65536 1024 error\n66560 64512 linear $disk 66560"
expect 'read 65536 8' 2/81
expect 'write 65536 8 2' 2/80
expect 'fua 65536 8 2' 2/80
expect 'zero 65536 8' 2/80
expect 'discard 65536 8' 2/80 0/00
expect 'read 65520 64' 2/81
expect 'read 65520 16' '0/00 1'
expect 'write 66560 8 1' 0/00
expect flush 0/00
# (the kernel may say that such a device discards nothing, which is no error)
expect errors 'entries 5 media 5 warning 0' 'entries 6 media 6 warning 0'
well 1
table "$whole"
expect 'read 65520 64' '0/00 1'
expect 'write 65536 8 2' 0/00
expect 'read 65536 8' '0/00 2'

say "dm-flakey, one second well, one failing writes"
table "0 $sectors flakey $disk 0 1 1 1 error_writes"
version=10 acknowledged=0 failed=0 succeeded=0
while [ $version -lt 70 ] && { [ $version -lt 20 ] || [ $failed = 0 ] || [ $succeeded = 0 ]; }; do
  version=$((version + 1))
  tell "write 256 8 $version"
  case $answer in
    0/00) acknowledged=$version succeeded=$((succeeded + 1)) ;;
    2/80) failed=$((failed + 1)) ;;
    *) expect "write 256 8 $version" 0/00 2/80 ;;
  esac
  usleep 100000
done
if [ $failed = 0 ] || [ $succeeded = 0 ]; then
  failures=$((failures + 1))
  say "FAIL: $failed writes failed, $succeeded did not"
fi
expect 'read 256 8' "0/00 $acknowledged"
table "$whole"
expect 'read 256 8' "0/00 $acknowledged"
expect flush 0/00

say "dm-flakey that drops writes: the sync says so neither"
expect 'write 512 8 1' 0/00
table "0 $sectors flakey $disk 0 0 1000 1 drop_writes"
expect 'write 512 8 2' 0/00
expect flush 0/00
table "$whole"
expect 'read 512 8' '0/00 1'

say "dm-delay"
table "0 $sectors delay $disk 0 3000"
expect 'start write 1024 8 1' started
expect 'start read 0 64' started
expect 'start flush' started
expect 'wait 0' 'in flight'
well 2
expect 'wait 30' '0/00, 0/00 1, 0/00'
table "$whole"

say "suspended: nothing ends, and nobody else waits"
dmsetup suspend --noflush --nolockfs failing
expect 'start write 1024 8 2' started
expect 'start read 0 64' started
expect 'start zero 2048 64' started
expect 'start zero 4096 64' started
expect 'start flush' started
expect 'wait 1' 'in flight'
well 3
require "ctl status" ctl status
require "ctl queues" ctl queues failing
dmsetup resume failing
expect 'wait 30' '0/00, 0/00 1, 0/00, 0/00, 0/00'
expect 'read 1024 8' '0/00 2'

say "a smaller table"
table "0 65536 linear $disk 0"
expect 'read 65528 16' 2/81
expect 'read 65536 8' 2/81
expect 'write 65536 8 3' '0/81 dnr'
expect 'read 65528 8' '0/00 1'
require "ctl namespace resize" ctl namespace resize failing 1
expect 'read 65536 8' '0/80 dnr'
table "$whole"
require "ctl namespace resize" ctl namespace resize failing 1
expect 'read 65536 8' '0/00 2'

say "a flush that fails"
expect 'write 0 64 3' 0/00
table "0 $sectors flakey $disk 0 0 1000 1 error_writes"
expect 'write 0 64 4' 2/80
expect flush 2/80
expect 'read 0 64' '0/00 3'
table "$whole"
expect flush 2/80
expect 'fua 0 64 5' 0/00
expect reset reset
expect flush 2/80
tell errors
case $answer in
  *" warning 4") ;;
  *)
    failures=$((failures + 1))
    say "FAIL: errors: $answer"
    ;;
esac
stop
serve
expect flush 0/00
expect 'read 0 64' '0/00 5'

say "the whole device is gone"
printf '0 %s error\n' $sectors | dmsetup reload failing
dmsetup suspend --nolockfs failing
dmsetup resume failing
expect 'read 0 8' 2/81
expect 'write 0 8 6' 2/80
expect flush 0/00 # (a device of errors has no cache, says the kernel)
well 4
table "$whole"
expect 'read 0 64' '0/00 5'
stop
say "$failures failures"
[ $failures = 0 ]
