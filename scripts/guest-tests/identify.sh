#!/bin/sh
# What nvme-cli shows of the controller and its namespaces, against what the kernel made of it.
. ./checks.sh

step "id-ctrl"
id=$(nvme id-ctrl $ctrl)
for name in sn mn fr subnqn; do
  [ -n "$(field $name "$id")" ] || fail "id-ctrl: $name is empty"
  echo "  $name $(field $name "$id")"
done
case $(field subnqn "$id") in nqn.*) ;; *) fail "subnqn is no NQN" ;; esac
equal serial "$(field sn "$id")" "$(sed 's/ *$//' $sys/serial)"
equal model "$(field mn "$id")" "$(sed 's/ *$//' $sys/model)"
equal sqes "$(field sqes "$id")" 0x66
equal cqes "$(field cqes "$id")" 0x44
at_least "version" $(($(field ver "$id"))) $((0x10400))
echo "  sgls $(field sgls "$id"), oncs $(field oncs "$id"), mdts $(field mdts "$id"), vwc $(field vwc "$id")"
if bit "$(($(field vwc "$id")))" 0; then
  equal "write cache" "$(cat "$queue/write_cache")" "write back"
else
  equal "write cache" "$(cat "$queue/write_cache")" "write through"
fi
mdts=$(field mdts "$id")
if [ "$mdts" -ge 1 ] && [ "$mdts" -le 10 ]; then
  at_least "largest transfer (KiB)" $((4 << mdts)) "$(cat "$queue/max_hw_sectors_kb")"
fi

step "id-ns, list-ns, ns-descs of each namespace"
namespaces=$(nvme list-ns $ctrl | sed 's/^.*://')
at_least nn $(($(field nn "$id"))) "$(echo "$namespaces" | wc -l)"
seen=''
for nsid in $namespaces; do
  ns=$(nvme id-ns $ctrl -n "$nsid")
  in_use=$(printf '%s\n' "$ns" | sed -n 's/^lbaf.*lbads:\([0-9]*\) .*in use.*$/\1/p')
  nsze=$(($(field nsze "$ns"))) ncap=$(($(field ncap "$ns"))) nuse=$(($(field nuse "$ns")))
  node=$(node "$nsid")
  equal "$node block size" "$(blockdev --getss "$node")" $((1 << in_use))
  equal "$node bytes" "$(blockdev --getsize64 "$node")" $((nsze << in_use))
  at_least "nsze and ncap" $nsze $ncap
  at_least "ncap and nuse" $ncap $nuse
  descriptors=$(nvme ns-descs $ctrl -n "$nsid")
  identity=$(printf '%s\n' "$descriptors" | grep -E '^(eui64|nguid|uuid)' | grep -v ': 0*\(-0*\)*$') ||
    fail "namespace $nsid has no identifier: $descriptors"
  case "$seen" in *"$identity"*) fail "two namespaces are $identity" ;; esac
  seen="$seen $identity"
  echo "  $node: $nsze blocks of $((1 << in_use)), $(echo "$identity" | tr -s '\n ' ' ')"
done
expect 0xb id-ns $ctrl -n 0x7ffffff0

step "list"
nvme list | grep -q "^$disk " || fail "nvme list does not show $disk: $(nvme list)"

step "get-feature"
for feature in 0x01 0x02 0x04 0x06 0x07 0x08 0x09 0x0a 0x0b; do ok get-feature $ctrl -f $feature; done
ok get-feature $ctrl -f 0x05 -n 1 # (error recovery is the namespace's)
expect 0x2 get-feature $ctrl -f 0x7e
queues=$(feature 7)
at_least "I/O submission queues" $(((queues & 0xffff) + 1)) $(($(cat $sys/queue_count) - 1))
at_least "I/O completion queues" $((((queues >> 16) & 0xffff) + 1)) $(($(cat $sys/queue_count) - 1))
if bit "$(($(field vwc "$id")))" 0; then
  step "set-feature: volatile write cache off and on"
  equal "cache at first" "$(feature 6)" 1
  ok set-feature $ctrl -f 6 -V 0
  equal "cache switched off" "$(feature 6)" 0
  pattern cache-off 65536 >"$work/p"
  put "$work/p" 0
  same "$work/p" 0
  ok set-feature $ctrl -f 6 -V 1
  equal "cache switched on" "$(feature 6)" 1
fi
kernel_is_content
