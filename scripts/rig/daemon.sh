# shellcheck shell=sh
# Sourced by what scripts/rig/daemon-guest runs in the guest.
export DM_DISABLE_UDEV=1 # there is none: dmsetup makes the nodes in /dev/mapper itself

load_modules() {
  while read -r module; do insmod "/modules/$module.ko" || return; done </modules/order
}

# disk N: the block device of the N-th --disk, from 0 on. (The kernel numbers them as they answer.)
disk() {
  for controller in /sys/class/nvme/nvme*; do
    read -r serial <"$controller/serial"
    [ "$serial" = "disk$1" ] || continue
    for namespace in "$controller"/nvme*n*; do echo "/dev/${namespace##*/}"; done
  done
}

# start_nvmed ARG...: comes back when it serves, or fails.
start_nvmed() {
  : >nvmed.log # (by the shell that reads it: what the last one said may be there yet)
  nvmed serve "$@" >nvmed.log 2>&1 </dev/null &
  nvmed=$!
  n=0
  until grep -q serving nvmed.log; do
    n=$((n + 1))
    if [ $n -gt 600 ] || ! kill -0 "$nvmed" 2>/dev/null; then
      cat nvmed.log
      return 1
    fi
    usleep 50000
  done
}

stop_nvmed() {
  kill -TERM "$nvmed" && wait "$nvmed"
}
