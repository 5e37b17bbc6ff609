#!/bin/sh
# Commands of the NVM command set, sent one by one by nvme-cli, and the errors that they must end with.
. ./checks.sh

oncs=$(($(field oncs "$(nvme id-ctrl $ctrl)")))
end=$((blocks - 8))
size=$((8 * lba))
pattern one "$size" >"$work/one"
pattern two "$size" >"$work/two"
io() { # io STATUS COMMAND FIRST-BLOCK FILE [OPTION...]: eight blocks
  code=$1 command=$2 first=$3 file=$4
  shift 4
  expect "$code" "$command" "$disk" -s "$first" -c 7 -z "$size" -d "$file" "$@"
}

step "write, read, write with FUA, at both ends of the namespace"
io 0x0 write 0 "$work/one"
io 0x0 write $end "$work/two" --force-unit-access
io 0x0 read 0 "$work/got"
cmp "$work/one" "$work/got" || fail "read at 0"
io 0x0 read $end "$work/got" --force-unit-access
cmp "$work/two" "$work/got" || fail "read at $end"
same "$work/two" $end

step "flush"
ok flush "$disk"

step "out of range"
io 0x80 read "$blocks" "$work/none"
io 0x80 read $((blocks - 7)) "$work/none"
io 0x80 write $((blocks - 7)) "$work/one"
io 0x80 read 0xfffffffffffffffc "$work/none"
same "$work/two" $end

step "unknown opcodes"
expect 0x1 io-passthru "$disk" --opcode=0x7f --namespace-id=1
expect 0x1 admin-passthru $ctrl --opcode=0x7f

step "dataset management: deallocate"
if bit $oncs 2; then
  ok dsm "$disk" -d -s 16,32 -b 8,8
  ok dsm "$disk" -w -s 0 -b 8 # (a hint only)
  io 0x0 compare 0 "$work/one"
else echo "  (not offered)"; fi

step "compare"
if bit $oncs 0; then
  io 0x0 compare 0 "$work/one"
  io 0x285 compare 0 "$work/two"
  io 0x80 compare "$blocks" "$work/one"
else echo "  (not offered)"; fi

step "write zeroes"
if bit $oncs 3; then
  io 0x0 write 8 "$work/one"
  ok write-zeroes "$disk" -s 0 -c 7
  head -c "$size" /dev/zero >"$work/zero"
  same "$work/zero" 0
  same "$work/one" 8
  ok write-zeroes "$disk" -s 8 -c 7 --deac
  same "$work/zero" 8
  expect 0x80 write-zeroes "$disk" -s $((blocks - 7)) -c 7
  same "$work/two" $end
else echo "  (not offered)"; fi

step "verify"
if bit $oncs 7; then
  ok verify "$disk" -s 0 -c 7
  expect 0x80 verify "$disk" -s "$blocks" -c 0
else echo "  (not offered)"; fi

step "write uncorrectable"
if bit $oncs 1; then
  ok write-uncor "$disk" -s 0 -c 7
  io 0x281 read 0 "$work/none"
  io 0x0 write 0 "$work/one"
  same "$work/one" 0
else echo "  (not offered)"; fi

step "copy"
if bit $oncs 8 && [ "$(field mssrl "$(nvme id-ns "$disk")")" -ge 8 ]; then
  io 0x0 write 0 "$work/one"
  io 0x0 write 16 "$work/two"
  ok copy "$disk" --sdlba=64 --blocks=7,7 --slbs=0,16
  cat "$work/one" "$work/two" >"$work/both"
  same "$work/both" 64
  expect 0x80 copy "$disk" --sdlba=64 --blocks=7 --slbs="$blocks"
else echo "  (not offered)"; fi
kernel_is_content
