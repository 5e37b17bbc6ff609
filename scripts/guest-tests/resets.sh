#!/bin/sh
# Controller resets and PCI function level resets under a verifying fio: no I/O error, no lost interrupt.
. ./checks.sh

count=${RESETS:-20}
live() { [ "$(cat $sys/state)" = live ]; }
completed() { awk '{ print $1 + $5 }' "/sys/block/${disk#/dev/}/stat"; }
moved_on() { [ "$(completed)" -ge "$mark" ]; }

pattern keep 1048576 >"$work/keep"
put "$work/keep" 0
fio --name=load --filename="$disk" --offset=16m --size=64m --rw=randwrite --bs=4k --ioengine=libaio --direct=1 \
  --iodepth=16 --numjobs=2 --offset_increment=64m --verify=crc32c --verify_backlog=32 --verify_fatal=1 \
  --time_based --runtime=10m --trigger-file="$work/stop" --trigger=true --eta=never --output="$work/fio" &
fio=$!
mark=$(($(completed) + 100))
wait_for "fio's first I/O" 10 moved_on

# under_load WHAT FILE: writes 1 to FILE, count times; after each the controller is live and I/O goes on at once.
# (A lost interrupt would show only after the driver's 30 seconds.)
under_load() {
  step "$count times under load: $1"
  n=0
  while [ $n -lt "$count" ]; do
    echo 1 >"$2" || fail "$1 $n"
    wait_for "live again after $1 $n" 10 live
    mark=$(($(completed) + 50))
    wait_for "I/O after $1 $n" 10 moved_on
    n=$((n + 1))
  done
}
under_load "controller reset" $sys/reset_controller
if grep -q flr "$pci/reset_method" 2>/dev/null; then
  echo flr >"$pci/reset_method"
  under_load "function level reset" "$pci/reset"
else
  fail "no function level reset: $(cat "$pci/reset_method" 2>/dev/null)"
fi

step "no error in fio"
touch "$work/stop"
wait $fio || fail "fio: $(cat "$work/fio")"
grep -q 'err= 0' "$work/fio" || fail "fio: $(cat "$work/fio")"
if grep 'err=' "$work/fio" | grep -v 'err= 0'; then fail "fio: $(cat "$work/fio")"; fi
same "$work/keep" 0

step "the driver unbound and bound again; the device removed and found again"
rebind
same "$work/keep" 0
echo 1 >"$pci/remove"
[ ! -e $ctrl ] || fail "$ctrl is still there"
echo 1 >/sys/bus/pci/rescan
wait_for "$disk after the rescan" 10 test -b "$disk"
same "$work/keep" 0
run_fio --name=after --rw=randrw --bs=4k --size=4m --iodepth=16 --verify=crc32c
kernel_is_content
