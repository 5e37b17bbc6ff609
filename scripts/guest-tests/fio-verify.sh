#!/bin/sh
# fio with verification on every queue: block sizes from one block to 256 KiB, mixed with flushes and FUA.
. ./checks.sh

jobs=$(nproc)
mib=48 # per job
[ $((jobs * mib * 1048576)) -le "$bytes" ] || mib=$((bytes / 1048576 / jobs))
queues=$(($(cat $sys/queue_count) - 1))
if [ -d $sys/device/msi_irqs ]; then at_least "I/O queues" "$queues" "$jobs"; fi

# each_cpu ARGUMENT...: a fio job on each CPU, so on each queue, each in its part of the disk
each_cpu() {
  set -- --verify=crc32c --iodepth=16 --size="${mib}m" --randrepeat=0 "$@"
  for i in $(seq 0 $((jobs - 1))); do set -- "$@" --name="cpu$i" --cpus_allowed="$i" --offset=$((i * mib))m; done
  run_fio "$@"
}
counts() { for i in $(seq "$queues"); do interrupts "$i"; done; }
before=$(counts)

step "random writes of mixed sizes, then verification, on $jobs CPUs and $queues queues"
each_cpu --rw=randwrite --bssplit="$lba/20:4k/40:12k/20:64k/15:256k/5"
step "random reads and writes, verified while others are written"
each_cpu --rw=randrw --bs=4k --size=4m --verify_backlog=64
step "writes with FUA, and with flushes"
each_cpu --rw=randwrite --bs=8k --size=1m --sync=dsync
each_cpu --rw=randwrite --bs=8k --size=1m --fdatasync=8

step "interrupts of each queue"
for i in $(seq "$queues"); do
  was=$(echo "$before" | sed -n "${i}p") is=$(interrupts "$i")
  echo "  queue $i: $((is - was))"
  at_least "interrupts of queue $i" "$is" $((was + 1))
done
kernel_is_content
