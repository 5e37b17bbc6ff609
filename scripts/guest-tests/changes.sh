#!/bin/sh
# Namespaces come, grow, shrink and go, and rate limits change, while the guest does I/O. The host changes nvmed's
# configuration when this asks for it; the guest learns of it from the controller alone.
. ./checks.sh
not_qemu "the host changes nvmed alone" || exit 0

# seen CONDITION...: waits until it holds
seen() {
  for _ in $(seq 300); do
    "$@" && return
    sleep 0.1
  done
  fail "not seen: $*"
}
change() { echo "@@change $1"; }
second() { other=$(node 2) && [ -b "$other" ]; }
gone() { [ -z "$(node 2)" ]; }
has_size() { [ "$(blockdev --getsize64 "$other")" = "$1" ]; }
hundredths() { sed 's/ .*//; s/\.//' /proc/uptime; }

step "load on namespace 1, all the time"
fio --name=load --filename="$disk" --ioengine=libaio --direct=1 --iodepth=8 --rw=randrw --bs=4k --size=16m \
  --time_based --runtime=600 --verify=crc32c --verify_fatal=1 --eta=never --output="$work/load" &
load=$!

step "a namespace comes"
gone || fail "it is there already"
change add
seen second
equal "its identifier" "$(cat "/sys/block/${other#/dev/}/nsid")" 2
seen has_size $((32 << 20))
pattern second 1048576 >"$work/p"
dd if="$work/p" of="$other" oflag=direct bs=64k 2>/dev/null || fail "cannot be written"

step "it grows"
change grow
seen has_size $((64 << 20))
dd if="$work/p" of="$other" oflag=direct bs=64k seek=1008 2>/dev/null || fail "the new end cannot be written"
dd if="$other" iflag=direct bs=64k skip=1008 2>/dev/null | cmp - "$work/p" || fail "the new end"

step "it shrinks"
change shrink
seen has_size $((16 << 20))
expect 0x80 read "$other" -s $((16 << 20 >> 9)) -c 0 -z 512 -d "$work/beyond"

step "it goes, and comes back with what it had"
change remove
seen gone
change add
seen second
dd if="$other" iflag=direct bs=64k count=16 2>/dev/null | cmp - "$work/p" || fail "its content"

step "a rate limit: 100 commands a second, 10 at once"
kill "$load"
wait "$load" || true
! grep -i "verify: bad" "$work/load" || fail "$(cat "$work/load")"
change limit
for _ in $(seq 50); do
  start=$(hundredths)
  dd if="$disk" of=/dev/null iflag=direct bs=4k count=100 2>/dev/null
  [ $(($(hundredths) - start)) -lt 85 ] || break
done
[ $(($(hundredths) - start)) -ge 85 ] || fail "100 reads took $(($(hundredths) - start)) hundredths of a second"
change unlimit
for _ in $(seq 50); do
  start=$(hundredths)
  dd if="$disk" of=/dev/null iflag=direct bs=4k count=100 2>/dev/null
  [ $(($(hundredths) - start)) -ge 80 ] || break
done
[ $(($(hundredths) - start)) -lt 80 ] || fail "it is still limited"
kernel_is_content
