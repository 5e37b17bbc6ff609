#!/bin/sh
# The device's DMA is translated by a virtual IOMMU (the guest was booted with one): each I/O maps and unmaps.
. ./checks.sh

step "translated DMA"
equal "the IOMMU group's domain" "$(cat $sys/device/iommu_group/type)" DMA
run_fio --name=mixed --verify=crc32c --iodepth=8 --rw=randwrite --bssplit="$lba/20:4k/50:64k/25:256k/5" --size=16m

step "four jobs, many small mappings"
run_fio --name=small --verify=crc32c --iodepth=16 --rw=randrw --bs=4k --size=4m --offset_increment=16m --numjobs=4

step "the driver unbound and bound again: every mapping goes and comes back"
rebind
run_fio --name=again --verify=crc32c --iodepth=8 --rw=randwrite --bs=16k --size=4m
kernel_is_content
