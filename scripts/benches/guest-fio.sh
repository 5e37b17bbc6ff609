#!/bin/sh
# guest-fio.sh ROUNDS SECONDS PATTERN:BYTES:DEPTH...
# Runs in the guest: fio on each NVMe disk in turns; a line "@@fio RUNNER PATTERN BYTES DEPTH ROUND JSON" of each.
set -eu
rounds=$1 seconds=$2
shift 2

# disk_of CONTROLLER: the block device of its first namespace
disk_of() { ls -d "$1"/nvme*n* | sed 's,^.*/,/dev/,' | head -n 1; }
# The disk of a runner is in the variable of its name.
# shellcheck disable=SC2034
runners=''
for controller in /sys/class/nvme/nvme*; do
  case $(cat "$controller/model") in
    "QEMU NVMe Ctrl"*) qemu=$(disk_of "$controller") runners="$runners qemu" ;;
    *) nvmed=$(disk_of "$controller") runners="nvmed $runners" ;;
  esac
done

# measure RUNNER DISK PATTERN BYTES DEPTH ROUND
measure() {
  fio --name=fio --filename="$2" --ioengine=libaio --direct=1 --rw="$3" --bs="$4" --iodepth="$5" --time_based \
    --runtime="$seconds" --ramp_time=500ms --norandommap --randrepeat=0 --allow_file_create=0 --group_reporting \
    --output-format=json --output=/tmp/fio >/dev/null
  echo "@@fio $1 $3 $4 $5 $6 $(tr -d '\n' </tmp/fio)"
}

round=1
while [ $round -le "$rounds" ]; do
  for case in "$@"; do
    pattern=${case%%:*} depth=${case##*:}
    size=${case#*:} size=${size%:*}
    turns=$runners
    # Who goes first changes.
    if [ $((round % 2)) = 0 ]; then turns=$(for runner in $runners; do echo "$runner"; done | sort -r); fi
    for runner in $turns; do
      eval "disk=\$$runner"
      measure "$runner" "$disk" "$pattern" "$size" "$depth" $round
    done
  done
  round=$((round + 1))
done
