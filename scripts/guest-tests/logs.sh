#!/bin/sh
# Log pages: SMART counters that grow with the work, the error log, effects, and pages that do not exist.
. ./checks.sh

id=$(nvme id-ctrl $ctrl)
smart() { field "$1" "$(nvme smart-log $ctrl)" | sed 's/ .*$//'; }

step "smart-log: health"
equal critical_warning "$(smart critical_warning)" 0
temperature=$(nvme smart-log $ctrl | sed -n 's/^temperature.*(\([0-9]*\) K).*$/\1/p')
at_least "temperature (K)" "$temperature" 273
at_least "hottest temperature (K)" 373 "$temperature"

step "smart-log: counters grow with 20 reads and 40 writes of 128 KiB"
reads=$(smart host_read_commands) writes=$(smart host_write_commands)
units_read=$(smart 'Data Units Read') units_written=$(smart 'Data Units Written')
dd if=/dev/zero of="$disk" oflag=direct bs=128k count=40 2>/dev/null
dd if="$disk" of=/dev/null iflag=direct bs=128k count=20 2>/dev/null
at_least host_read_commands "$(smart host_read_commands)" $((reads + 20))
at_least host_write_commands "$(smart host_write_commands)" $((writes + 40))
# (a unit is 1,000 blocks of 512 bytes: 20 x 128 KiB are 5.1, 40 are 10.2)
at_least "Data Units Read" "$(smart 'Data Units Read')" $((units_read + 5))
at_least "Data Units Written" "$(smart 'Data Units Written')" $((units_written + 10))

step "error-log"
ok error-log $ctrl
errors=$(smart num_err_log_entries)
expect 0x80 read "$disk" -s "$blocks" -c 0 -z "$lba" -d "$work/none"
if [ "$(field elpe "$id")" -gt 0 ]; then
  at_least num_err_log_entries "$(smart num_err_log_entries)" $((errors + 1))
  newest=$(nvme error-log $ctrl -e 1)
  case $(field status_field "$newest") in
    *[Rr]ange*) ;;
    *) fail "the newest entry is of another error: $newest" ;;
  esac
  equal "the newest entry's LBA" $(($(field lba "$newest"))) "$blocks"
else
  echo "  (the controller keeps one entry: its contents are not checked)"
fi

step "fw-log, effects-log, changed-ns-list-log"
ok fw-log $ctrl
if bit "$(($(field lpa "$id")))" 1; then ok effects-log $ctrl -c 0; fi
if bit "$(($(field oaes "$id")))" 8; then ok changed-ns-list-log $ctrl; fi

step "get-log of a page that does not exist" # (Windows' driver asks for C1h)
code=$(status get-log $ctrl -i 0xc1 -l 512)
case $code in 0x109 | 0x2) ;; *) fail "log page C1h: status $code" ;; esac
kernel_is_content
