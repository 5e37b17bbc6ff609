#!/bin/sh
# What a controller may have, or not: each part runs only if the controller says that it has it.
. ./checks.sh

id=$(nvme id-ctrl $ctrl)
oacs=$(($(field oacs "$id"))) oncs=$(($(field oncs "$id")))

step "timestamp"
if bit $oncs 6; then
  ok set-feature $ctrl -f 0x0e -V 0
  ok get-feature $ctrl -f 0x0e
else echo "  (not offered)"; fi

step "features: default and capabilities"
if bit $oncs 4; then
  now=$(feature 4)
  ok get-feature $ctrl -f 4 -s 1
  ok get-feature $ctrl -f 4 -s 3
  ok set-feature $ctrl -f 4 -V $((now - 1))
  equal "temperature threshold" "$(feature 4)" $((now - 1))
  equal "its default" "$(feature 4 -s 1)" "$now"
  echo 1 >$sys/reset_controller
  wait_for "live again" 10 grep -q live $sys/state
  not_qemu "QEMU keeps the threshold over a reset" || ok set-feature $ctrl -f 4 -V "$now"
  equal "temperature threshold after a reset" "$(feature 4)" "$now"
else echo "  (not offered)"; fi

step "asynchronous event: the temperature threshold is crossed"
ok set-feature $ctrl -f 0x0b -V 0x3
ok set-feature $ctrl -f 4 -V 0x1
wait_for "a critical warning in the SMART log" 5 sh -c "nvme smart-log $ctrl | grep -q 'critical_warning.*: 0x2'"
ok set-feature $ctrl -f 4 -V 0x157
echo 1 >$sys/reset_controller
wait_for "live again" 10 grep -q live $sys/state

step "device self-test"
if bit $oacs 4; then
  ok device-self-test $ctrl -n 1 -s 1
  wait_for "the end of the short self-test" 60 sh -c "nvme self-test-log $ctrl | grep -qE 'Current operation *: 0'"
  ok self-test-log $ctrl
else echo "  (not offered)"; fi

step "format, with each block size"
if bit $oacs 1; then
  was=$(nvme id-ns "$disk" | sed -n 's/^lbaf *\([0-9]*\) .*in use.*$/\1/p')
  for format in $(nvme id-ns "$disk" | sed -n 's/^lbaf *\([0-9]*\) : ms:0 .*$/\1/p') "$was"; do
    ok format "$disk" --lbaf="$format" --force
    size=$(nvme id-ns "$disk" | sed -n 's/^lbaf.*lbads:\([0-9]*\) .*in use.*$/\1/p')
    equal "block size with format $format" "$(blockdev --getss "$disk")" $((1 << size))
    lba=$((1 << size))
    pattern "format $format" 65536 >"$work/p"
    put "$work/p" 16
    same "$work/p" 16
  done
  expect 0x10a format "$disk" --lbaf=15 --force
else echo "  (not offered)"; fi

step "namespaces detached and attached"
if bit $oacs 3 && [ "$(nvme list-ns $ctrl | wc -l)" -ge 2 ]; then
  cntlid=$(field cntlid "$id")
  second=$(node 2)
  ok detach-ns $ctrl -n 2 -c "$cntlid"
  wait_for "$second gone" 10 test ! -e "$second"
  ok attach-ns $ctrl -n 2 -c "$cntlid"
  wait_for "namespace 2" 10 sh -c "nvme list-ns $ctrl | grep -q 0x2"
else echo "  (not offered, or no second namespace)"; fi

step "sanitize"
if [ $(($(field sanicap "$id") & 7)) -ne 0 ]; then
  ok sanitize-log $ctrl
else echo "  (not offered)"; fi
kernel_is_content
