#!/bin/sh
# Each namespace keeps its own data. One namespace alone has nothing to show here.
. ./checks.sh

nodes=$(ls -d /sys/class/nvme/nvme*/nvme*n* | sed 's,^.*/,/dev/,')
step "namespaces:" $nodes
for node in $nodes; do
  pattern "$node" 1048576 >"$work/p"
  dd if="$work/p" of="$node" oflag=direct bs=64k 2>/dev/null
  dd if="$work/p" of="$node" oflag=direct bs=64k seek=$(($(blockdev --getsize64 "$node") / 65536 - 16)) 2>/dev/null
done
for node in $nodes; do
  pattern "$node" 1048576 >"$work/p"
  dd if="$node" iflag=direct bs=64k count=16 2>/dev/null | cmp - "$work/p" || fail "start of $node"
  dd if="$node" iflag=direct bs=64k skip=$(($(blockdev --getsize64 "$node") / 65536 - 16)) 2>/dev/null |
    cmp - "$work/p" || fail "end of $node"
done

step "all at once"
for node in $nodes; do
  fio --name=all --filename="$node" --ioengine=libaio --direct=1 --iodepth=8 --rw=randwrite --bs=8k --size=4m \
    --verify=crc32c --verify_fatal=1 --eta=never --output="$work/$(basename "$node")" &
  jobs="${jobs:-} $!"
done
for job in $jobs; do wait "$job" || fail "fio: $(cat "$work"/nvme*)"; done
kernel_is_content
