# shellcheck shell=dash disable=SC2034
# Sourced by every guest test (. ./checks.sh); runs in the guest.
# The device under test is the first controller; most tests use its namespace 1.
set -eu
ctrl=/dev/nvme0
sys=/sys/class/nvme/nvme0
pci=$(readlink -f $sys/device) || {
  echo "FAIL: no $ctrl"
  exit 1
}

# node NSID: its block device (Linux scans namespaces side by side, so nvme0n1 need not be namespace 1)
node() { grep -lx "$(($1))" $sys/nvme*n*/nsid 2>/dev/null | sed 's,/nsid$,,; s,^.*/,/dev/,'; }
disk=$(node 1) && [ -b "$disk" ] || {
  echo "FAIL: no namespace 1"
  dmesg | grep -i nvme
  exit 1
}
queue=/sys/block/${disk#/dev/}/queue
lba=$(blockdev --getss "$disk")
bytes=$(blockdev --getsize64 "$disk")
blocks=$((bytes / lba))
work=$(mktemp -d)

step() { echo "- $*"; }
fail() {
  echo "FAIL: $*"
  dmesg | grep -iE 'nvme|ext4|dmar' | tail -n 10
  exit 1
}
# not_qemu WHY: false, with WHY, if the device is QEMU's own, which serves to try out the tests
not_qemu() {
  case $(cat $sys/model) in
    "QEMU NVMe Ctrl"*) echo "  (not checked: $*)" && return 1 ;;
  esac
}
equal() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }
at_least() { [ "$2" -ge "$3" ] || fail "$1: $2, less than $3"; }
bit() { [ $((($1 >> $2) & 1)) = 1 ]; }

# field NAME TEXT: the value of a line "NAME : VALUE" of nvme-cli
field() { printf '%s\n' "$2" | sed -n "s/^ *$1[ 	]*: *//p" | sed 's/ *$//' | head -n 1; }

# status ARGUMENT...: runs nvme, prints the command's NVMe status (SCT and SC) as 0x…; 0x0 is success
status() {
  if nvme "$@" >"$work/status" 2>&1; then echo 0x0; else
    code=$(sed -n 's/^.*(\(0x[0-9a-f]*\)).*$/\1/p' "$work/status" | head -n 1)
    [ -n "$code" ] || fail "nvme $*: $(cat "$work/status")"
    printf '0x%x\n' $((code & 0x7ff))
  fi
}
# expect STATUS ARGUMENT...: runs nvme, which must end with that NVMe status
expect() {
  wanted=$1
  shift
  got=$(status "$@") || fail "$got"
  equal "nvme $* (status)" "$got" "$wanted"
}
ok() { expect 0x0 "$@"; }

# feature ID [OPTION...]: the value of a feature, in decimal
feature() {
  value=$(nvme get-feature $ctrl -f "$@" | sed -n 's/^.*[Vv]alue: *\(0x\)\{0,1\}\([0-9a-f]\{1,\}\).*$/0x\2/p')
  [ -n "$value" ] || fail "get-feature $*"
  echo $((value))
}

# pattern SEED BYTES: the same bytes for the same seed, of which no two blocks are the same
pattern() { yes "$1" | awk '{ printf "%-112s%15d\n", $0, NR }' | head -c "$2"; }

# same FILE SKIP: the blocks of the disk from block SKIP on hold FILE
same() {
  dd if="$disk" iflag=direct bs="$lba" skip="$2" count=$(($(stat -c %s "$1") / lba)) 2>/dev/null >"$work/same"
  cmp "$1" "$work/same" || fail "blocks from $2 on differ"
}
# put FILE SKIP: writes FILE to the disk from block SKIP on
put() { dd if="$1" of="$disk" oflag=direct bs="$lba" seek="$2" 2>/dev/null || fail "dd to block $2"; }

# run_fio ARGUMENT...: fio on the disk, quiet if all is well but for its rates
run_fio() {
  fio --filename="$disk" --ioengine=libaio --direct=1 --verify_fatal=1 --group_reporting --eta=never "$@" >"$work/fio" 2>&1 || {
    cat "$work/fio"
    fail "fio"
  }
  sed -n 's/^ *\(read\|write\): /  \1: /p' "$work/fio"
}

# wait_for WHAT SECONDS COMMAND...: until COMMAND succeeds
wait_for() {
  what=$1 tries=$(($2 * 20))
  shift 2
  until "$@"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || fail "$what: not in time"
    usleep 50000
  done
}

# interrupts QUEUE: how many the queue has had
# (of all the device's queues, where they share one interrupt)
interrupts() {
  awk -v q="nvme0q$1" '$0 ~ q "(,|$)" { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts
}

# kernel_is_content: the guest's kernel saw no timeout, no error, no lost interrupt
kernel_is_content() {
  if dmesg | grep -E 'QID [0-9]+ timeout|completion polled|I/O error|controller is down|not ready|EXT4-fs error|DMAR:.*[Ff]ault|WARNING:|BUG:|nobody cared|Removing after probe failure'; then
    fail "the kernel's log has the lines above"
  fi
}

# rebind: takes the device from the driver and gives it back
rebind() {
  echo "${pci##*/}" >/sys/bus/pci/drivers/nvme/unbind
  [ ! -e "$disk" ] || fail "$disk without a driver"
  echo "${pci##*/}" >/sys/bus/pci/drivers/nvme/bind
  wait_for "$disk after binding" 10 test -b "$disk"
}
