#!/bin/sh
# Run by scripts/fault-test in a guest: nvmed on a disk that device mapper makes fail.
# Prints a line for each step; status 1 where an answer was another one than expected.
. ./steps.sh

disk=$(disk 0)
pulled=$(disk 2)
sectors=131072 # 64 MiB of 512 bytes
whole="0 $sectors linear $disk 0"

load_modules || exit 1
dmsetup create failing --table "$whole" || exit 1
cat >nvmed.toml <<TOML
[daemon]
control_socket = "control"
image_folders = ["/dev", "/dev/mapper"]
[[controller]]
name = "failing"
socket = "failing.sock"
[[controller.namespace]]
image = "/dev/mapper/failing"
[[controller]]
name = "well"
socket = "well.sock"
[[controller.namespace]]
image = "$(disk 1)"
[[controller]]
name = "removed"
socket = "removed.sock"
[[controller.namespace]]
image = "$pulled"
TOML
serve
connect failing.sock

say "dm-error over a part"
expect 'write 0 64 1' 0/00
expect 'write 65520 64 1' 0/00
expect flush 0/00
table failing "0 65536 linear $disk 0\n65536 1024 error\n66560 64512 linear $disk 66560"
expect 'read 65536 8' 2/81
expect 'write 65536 8 2' 2/80
expect 'fua 65536 8 2' 2/80
expect 'zero 65536 8' 2/80
expect 'log 4' '2/80 at 65536, 2/80 at 65536, 2/80 at 65536, 2/81 at 65536'
# (the kernel may say that such a device discards nothing, which is no error)
expect 'discard 65536 8' 2/80 0/00
expect 'read 65520 64' 2/81
expect 'read 65520 16' '0/00 1'
expect 'write 66560 8 1' 0/00
expect flush 0/00
counted 0
well 1
table failing "$whole"
expect 'read 65520 64' '0/00 1'
expect 'write 65536 8 2' 0/00
expect 'read 65536 8' '0/00 2'

say "dm-flakey that fails writes, and well again, over and over"
expect 'write 256 8 10' 0/00
version=10
while [ $version -lt 20 ]; do
  table failing "0 $sectors flakey $disk 0 0 1000 1 error_writes"
  expect "write 256 8 $((version + 1))" 2/80
  expect 'read 256 8' "0/00 $version"
  table failing "$whole"
  expect 'read 256 8' "0/00 $version"
  version=$((version + 2))
  expect "write 256 8 $version" 0/00
  expect 'read 256 8' "0/00 $version"
done
expect flush 0/00
counted 0

say "dm-flakey that fails reads"
table failing "0 $sectors flakey $disk 0 0 1000 1 error_reads"
expect 'read 256 8' 2/81
expect 'write 256 8 71' 0/00
expect 'read 0 8' 2/81
expect flush 0/00
expect 'log 2' '2/81 at 0, 2/81 at 256'
counted 0
table failing "$whole"
expect 'read 256 8' '0/00 71'
expect 'read 0 8' '0/00 1'

say "dm-flakey that drops writes: the sync says so neither"
expect 'write 512 8 1' 0/00
table failing "0 $sectors flakey $disk 0 0 1000 1 drop_writes"
expect 'write 512 8 2' 0/00
expect flush 0/00
table failing "$whole"
expect 'read 512 8' '0/00 1'

say "dm-flakey that corrupts what is read: nothing of it stays"
table failing "0 $sectors flakey $disk 0 0 1000 5 corrupt_bio_byte 40 r 255 0"
expect 'read 512 8' '0/00 foreign' '0/00 1 foreign'
counted 0
table failing "$whole"
expect 'read 512 8' '0/00 1'

say "dm-delay"
table failing "0 $sectors delay $disk 0 2000"
expect 'start write 1024 8 1' started
expect 'start read 0 64' started
expect 'start flush' started
expect 'wait 0' 'in flight'
well 2
expect 'wait 30' '0/00, 0/00 1, 0/00'

say "tables swapped under load"
version=1
while [ $version -lt 9 ]; do
  for lba in 1024 3072 5120 7168; do expect "start write $lba 64 $version" started; done
  expect 'start flush' started
  expect 'start read 0 64' started
  if [ $((version % 2)) = 0 ]; then table failing "$whole"; else table failing "0 $sectors delay $disk 0 100"; fi
  for lba in 9216 11264; do expect "start write $lba 64 $version" started; done
  expect 'wait 30' '0/00, 0/00, 0/00, 0/00, 0/00, 0/00 1, 0/00, 0/00'
  for lba in 1024 3072 5120 7168 9216 11264; do expect "read $lba 64" "0/00 $version"; done
  version=$((version + 1))
done
table failing "$whole"
counted 0

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

say "suspended, and what was in flight fails in the end"
dmsetup suspend --noflush --nolockfs failing
expect 'start write 1024 8 3' started
expect 'start read 0 64' started
expect 'wait 0' 'in flight'
printf '0 %s error\n' $sectors | dmsetup reload failing
dmsetup resume failing
expect 'wait 30' '2/80, 2/81'
counted 0
table failing "$whole"
expect 'read 1024 8' '0/00 2'

say "a smaller table"
table failing "0 65536 linear $disk 0"
expect 'read 65528 16' 2/81
expect 'read 65536 8' 2/81
expect 'write 65536 8 3' '0/81 dnr'
expect 'read 65528 8' '0/00 1'
require "ctl namespace resize" ctl namespace resize failing 1
expect 'read 65536 8' '0/80 dnr'
counted 0
table failing "$whole"
require "ctl namespace resize" ctl namespace resize failing 1
expect 'read 65536 8' '0/00 2'

say "a flush that fails, and how it is cleared"
expect 'write 0 64 3' 0/00
table failing "0 $sectors flakey $disk 0 0 1000 1 error_writes"
expect 'write 0 64 4' 2/80
expect flush 2/80
expect 'read 0 64' '0/00 3'
table failing "$whole"
lost
expect 'fua 0 64 5' 0/00
counted 4
expect reset reset
lost
tell errors
case $answer in *" warning 4") ;; *) fail "errors: $answer" ;; esac
# The image opened anew, for a guest that goes on.
close_lost failing /dev/mapper/failing
expect 'read 0 64' '0/02 dnr'
require "ctl namespace add" ctl namespace add failing --image /dev/mapper/failing --set nsid=1
expect flush 0/00
expect 'read 0 64' '0/00 5'
tell errors
case $answer in *" warning 0") ;; *) fail "errors: $answer" ;; esac
# Once more, and the daemon started anew.
expect 'write 64 8 1' 0/00
table failing "0 $sectors flakey $disk 0 0 1000 1 error_writes"
expect flush 2/80
table failing "$whole"
lost
disconnect
require "SIGTERM" stop_nvmed
serve
connect failing.sock
expect flush 0/00
expect 'read 0 64' '0/00 5'

say "the whole device is gone"
table failing "0 $sectors error"
expect 'read 0 8' 2/81
expect 'write 0 8 6' 2/80
expect flush 0/00 # (a device of errors has no cache, says the kernel)
counted 0
well 4
table failing "$whole"
expect 'read 0 64' '0/00 5'
disconnect

say "a drive is pulled, and another one put in"
connect removed.sock
expect 'write 0 64 1' 0/00
expect flush 0/00
echo 1 >"/sys/block/${pulled#/dev/}/device/device/remove"
expect 'read 0 8' 2/81
expect 'write 0 8 2' '0/81 dnr' # (the kernel says that a device without size has no room)
expect 'zero 64 8' '0/81 dnr'
expect flush 2/80
counted 4
well 5
close_lost removed "$pulled"
echo 1 >/sys/bus/pci/rescan
n=0
until [ -b "$(disk 2)" ] || [ $n = 100 ]; do n=$((n + 1)) && usleep 50000; done
require "ctl namespace add" ctl namespace add removed --image "$(disk 2)" --set nsid=1
expect 'read 0 64' '0/00 1'
expect 'write 0 64 3' 0/00
expect flush 0/00
expect 'read 0 64' '0/00 3'
disconnect
finish
dmsetup remove failing
